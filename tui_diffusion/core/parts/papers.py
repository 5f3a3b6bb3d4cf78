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
SONG = (
    "Song et al. 2021: Score-Based Generative Modeling through Stochastic Differential Equations. "
    "ICLR."
)
LU = (
    "Lu et al. 2022: DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in "
    "Around 10 Steps. NeurIPS."
)
LU_PLUS = (
    "Lu et al. 2022: DPM-Solver++: Fast Solver for Guided Sampling of Diffusion "
    "Probabilistic Models."
)
