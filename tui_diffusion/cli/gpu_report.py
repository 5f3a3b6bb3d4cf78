"""What `diffusion-tui doctor` says of GPUs: driver, cards, torch's build, and what would help."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ..core.text import shortened, shown
from ..core.training.speeds import BUILT_IN, Speeds
from ..interface.nvidia import OLDEST_DRIVER, Nvidia
from ..interface.visible import VISIBLE, visible

_PAGE = "PyTorch's install page"
_GIB = 2**30


def runs_on(capability: tuple[int, int], built_for: list[str]) -> bool:
    """Return whether a torch with these architectures has code for a compute capability.

    ``sm_80`` runs on 8.0 and later of 8, ``sm_90a`` on 9.0 alone; ``compute_80`` is compiled for
    anything from 8.0 on when it is loaded.
    """
    major, minor = capability
    for name in built_for:
        kind, _, digits = name.partition("_")
        number = "".join(filter(str.isdecimal, digits))
        if kind not in ("sm", "compute") or len(number) < 2:
            continue
        built = int(number[:-1]), int(number[-1])
        if digits.endswith("a"):
            fits = built == capability
        elif kind == "compute" and not digits.endswith("f"):
            fits = built <= capability
        else:
            fits = built[0] == major and built[1] <= minor
        if fits:
            return True
    return False


def cuda_devices(torch: Any) -> tuple[list[dict[str, Any]], str]:
    """Return torch's CUDA devices, and one line on why there are none, or '' if it gives none."""
    # Torch would print on standard error why CUDA does not start.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            count = torch.cuda.device_count() if torch.cuda.is_available() else 0
            devices = [_device(torch, index) for index in range(count)]
        except RuntimeError as error:
            return [], _line(error)
    return devices, _line(caught[0].message) if caught and not devices else ""


def _line(error: Exception | str) -> str:
    return shortened(" ".join(str(error).split()), 200)


def _device(torch: Any, index: int) -> dict[str, Any]:
    """Return a CUDA device with its memory, its compute capability, and whether torch has code."""
    properties = torch.cuda.get_device_properties(index)
    capability = int(properties.major), int(properties.minor)
    free = None
    with suppress(RuntimeError):  # a card that is full has no room for the question
        free = int(torch.cuda.mem_get_info(index)[0])
    total = f"{properties.total_memory / _GIB:.0f} GiB"
    memory = total if free is None else f"{free / _GIB:.1f} of {total} free"
    number = "{}.{}".format(*capability)
    built_for = torch.cuda.get_arch_list()
    # What AMD calls its architectures has other rules.
    judged = bool(built_for) and torch.version.cuda is not None
    return {
        "name": f"cuda:{index}",
        "label": f"{properties.name}, {memory}, compute capability {number}",
        "total_bytes": int(properties.total_memory),
        "free_bytes": free,
        "capability": number,
        "supported": runs_on(capability, built_for) if judged else None,
    }


# --- warnings ------------------------------------------------------------------------------------


def gpu_warnings(nvidia: Nvidia, torch: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return what keeps torch from using the NVIDIA cards of this machine, with what helps."""
    if torch["error"]:
        return []
    gpus = [device for device in torch["devices"] if device["name"].startswith("cuda")]
    problems = []
    if nvidia.cards and not gpus:
        problems = _obstacles(nvidia, torch, environ)
    elif nvidia.cards and not torch.get("hip"):
        problems = _visibility(nvidia, environ)
    unfit = [device for device in gpus if device.get("supported") is False]
    return problems + [_unsupported(device, torch) for device in unfit]


def _obstacles(nvidia: Nvidia, torch: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return why torch has no GPU although there is a card."""
    if not nvidia.usable:
        return [
            f"{_cards(nvidia)} is here, but /dev/nvidia0 is missing: start the container with its "
            "GPUs (docker run --gpus all)"
        ]
    if torch.get("hip"):
        return [f"{_cards(nvidia)} is here, but torch {torch['version']} is built for AMD: choose "
                f"a CUDA build on {_PAGE}"]  # fmt: skip
    if torch["cuda"] is None:
        return [_cpu_build(nvidia, torch["version"])]
    problems = _driver(nvidia, torch["cuda"]) + _visibility(nvidia, environ)
    if nvidia.fault:
        problems.append(
            f"the NVIDIA driver does not answer nvidia-ml-py ({nvidia.fault}): restart the machine "
            "if the driver was updated"
        )
    if not problems:
        why = torch["cuda_fault"] or "it does not say why"
        problems.append(f"torch finds no GPU, though {_cards(nvidia)} is here: {why}")
    return problems


def _cards(nvidia: Nvidia) -> str:
    return ", ".join(dict.fromkeys(card.name for card in nvidia.cards))


def _cpu_build(nvidia: Nvidia, version: str) -> str:
    newest = nvidia.newest
    which = f"for CUDA {newest} or older" if newest else "for your driver"
    return (
        f"{_cards(nvidia)} is here, but torch {version} is a CPU build: choose a CUDA build "
        f"{which} on {_PAGE}, and install it over this one"
    )


def _driver(nvidia: Nvidia, build: str) -> list[str]:
    """Return a warning if the driver is too old for the CUDA version that torch is built with."""
    newest, needed = nvidia.newest, int(build.partition(".")[0])
    if newest is None or newest >= needed:
        return []
    oldest = OLDEST_DRIVER.get(needed)
    update = f"to {oldest} or newer" if oldest else "to the newest"
    return [
        f"the driver {nvidia.driver or ''} runs CUDA up to {nvidia.cuda}, but torch is "
        f"built for CUDA {build}: update the driver {update}, or choose a build for CUDA {newest} "
        f"on {_PAGE}"
    ]


def _visibility(nvidia: Nvidia, environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each way in which CUDA_VISIBLE_DEVICES and MIG hide what is here."""
    problems = []
    for index, card in enumerate(nvidia.cards):
        if card.mig and not card.slices and nvidia.source == "nvidia-ml-py":
            problems.append(
                f"GPU {index} {card.name} is in MIG mode without a slice, and cannot be used: "
                "nvidia-smi mig -cgi creates one"
            )
    wanted = environ.get(VISIBLE)
    slices = [each.uuid for card in nvidia.cards for each in card.slices]
    allowed = ", ".join([*map(str, range(len(nvidia.cards))), *slices])
    seen = visible(wanted, nvidia.cards)
    if seen.invalid in ("", "-1") and not seen.devices:
        value = shown(repr(wanted))
        problems.append(f"{VISIBLE}={value} hides every GPU: unset it; allowed: {allowed}")
    elif seen.invalid:
        problems.append(
            f"{VISIBLE}: there is no GPU {shown(repr(seen.invalid))}, and CUDA ignores it and all "
            f"that follows; allowed: {allowed}"
        )
    return problems


def _unsupported(device: Mapping[str, Any], torch: Mapping[str, Any]) -> str:
    built = [int(number) for arch in torch["architectures"]
             if (number := "".join(filter(str.isdecimal, arch)))]  # fmt: skip
    major, minor = map(int, device["capability"].split("."))
    newer = bool(built) and 10 * major + minor > max(built)
    other = "a newer torch" if newer else "an older torch, or its build for an older CUDA"
    return (
        f"{device['name']} has compute capability {device['capability']}, and torch "
        f"{torch['version']} is built for {', '.join(torch['architectures'])}: install {other}"
    )


# --- rows ----------------------------------------------------------------------------------------


def gpu_rows(nvidia: Mapping[str, Any], library: str | None) -> list[tuple[str, str]]:
    """Return the rows of the report: driver, cards with their slices, visible devices."""
    if not nvidia["source"]:
        return [("NVIDIA", "no card found")]
    driver = f"driver {nvidia['driver']}" if nvidia["driver"] else "driver of unknown version"
    runs = f", runs CUDA up to {nvidia['cuda']}" if nvidia["cuda"] else ""
    rows = [("NVIDIA", f"{driver}{runs}, found by {nvidia['source']}; nvidia-ml-py "
                       f"{library or 'missing'}")]  # fmt: skip
    for index, card in enumerate(nvidia["cards"]):
        total, free, mig = card["total_bytes"], card["free_bytes"], ""
        known = total is not None and free is not None
        memory = f", {free / _GIB:.1f} of {total / _GIB:.1f} GiB free" if known else ""
        if card["mig"]:
            mig = f", MIG, {len(card['slices'])} slices" if card["slices"] else ", MIG"
        rows.append(("card", f"{index}  {card['name']}{memory}{mig}"))
        rows += [("MIG slice", f"{each['name']}  {each['uuid']}") for each in card["slices"]]
    if nvidia["visible"] is not None:
        rows.append(("visible", f"{VISIBLE}={shown(repr(nvidia['visible']))}"))
    return rows


def speed_rows(speeds: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the measured speeds of devices, with the built-in ones for comparison."""
    if not any(each["measured"] for each in speeds.values()):
        return [("speed", "auto uses figures of other machines; doctor --measure takes them here")]
    return [
        ("speed", f"{name}: {_figures(each)}, {f'measured on {day}' if day else 'built in'}")
        for name, each in speeds.items()
        if (day := each["measured"]) or name != "mps"
    ]


def _figures(each: Mapping[str, Any]) -> str:
    start = f", {each['start']:.1f} s to start" if each["start"] else ""
    return f"{1e6 * each['step']:.3g} µs per step and {each['rate'] / 1e9:,.0f} GFLOP/s{start}"


def speed_report(measured: Mapping[str, Speeds]) -> dict[str, dict[str, Any]]:
    """Return the figures by which ``auto`` judges: built-in ones by kind, measured ones by name."""
    return {
        name: {**asdict(each), "measured": each.measured and each.measured.isoformat()}
        for name, each in {**BUILT_IN, **measured}.items()
    }
