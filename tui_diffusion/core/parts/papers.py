"""The papers that introduced more than one part."""

HO = "Ho, Jain and Abbeel 2020: Denoising Diffusion Probabilistic Models. NeurIPS."
NICHOL = "Nichol and Dhariwal 2021: Improved Denoising Diffusion Probabilistic Models. ICML."
KARRAS = (
    "Karras, Aittala, Aila and Laine 2022: Elucidating the Design Space of Diffusion-Based "
    "Generative Models. NeurIPS."
)
LIU = (
    "Liu, Gong and Liu 2022: Flow Straight and Fast: Learning to Generate and Transfer Data with "
    "Rectified Flow."
)
ESSER = (
    "Esser et al. 2024: Scaling Rectified Flow Transformers for High-Resolution Image Synthesis. "
    "ICML."
)
