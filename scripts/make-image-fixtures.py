"""Writes tests/fixtures/images: small pictures of every kind that Pillow writes, and what Pillow and torchvision make of them.

Run with Python 3, Pillow, numpy and torchvision: python scripts/make-image-fixtures.py
"""

import io
import pathlib

import numpy as np
from PIL import Image
from torchvision import transforms

OUT = pathlib.Path(__file__).parent.parent / "tests" / "fixtures" / "images"
OUT.mkdir(parents=True, exist_ok=True)
WIDTH, HEIGHT = 66, 46
SCALED = {"rgb.png", "420.jpg", "transparent.png", "grey.png", "deep.png"}

generator = np.random.default_rng(7)
coarse = Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8))
picture = coarse.resize((WIDTH, HEIGHT), Image.BICUBIC)
transparency = Image.fromarray(generator.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8))
transparent = picture.copy()
transparent.putalpha(transparency)

exif = Image.Exif()
exif[0x0112] = 6  # to be shown turned by a quarter: decoders of training data leave it as it is stored

picture.save(OUT / "444.jpg", quality=90, subsampling=0)
picture.save(OUT / "422.jpg", quality=90, subsampling=1)
picture.save(OUT / "420.jpg", quality=90, subsampling=2)
picture.save(OUT / "progressive.jpg", quality=90, progressive=True)
picture.save(OUT / "restart.jpg", quality=90, restart_marker_blocks=2)
picture.save(OUT / "turned.jpg", quality=90, exif=exif)
picture.convert("L").save(OUT / "grey.jpg", quality=90)
picture.convert("CMYK").save(OUT / "cmyk.jpg", quality=90)
picture.save(OUT / "rgb.png")
picture.convert("L").save(OUT / "grey.png")
Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(OUT / "deep.png")
picture.convert("1").save(OUT / "bits.png")
picture.quantize(16).save(OUT / "palette.png")
transparent.save(OUT / "transparent.png")
transparent.convert("LA").save(OUT / "grey-transparent.png")
picture.save(OUT / "lossy.webp", quality=90)
picture.save(OUT / "lossless.webp", lossless=True)
transparent.save(OUT / "transparent.webp", lossless=True, exact=True)

# A thumbnail within the header, as cameras write: its end is not the end of the image.
small = io.BytesIO()
picture.resize((16, 12)).save(small, "JPEG")
plain = (OUT / "444.jpg").read_bytes()
segment = b"thumb\0" + small.getvalue()
(OUT / "thumbnail.jpg").write_bytes(plain[:2] + b"\xff\xe5" + (len(segment) + 2).to_bytes(2, "big") + segment + plain[2:])

expected = {}
for file in sorted(OUT.iterdir()):
    if file.suffix == ".npz":
        continue
    image = Image.open(file)
    if image.mode == "I;16":  # Pillow clips these
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    image = image.convert("RGB")
    expected[f"{file.name}/whole"] = np.asarray(image)
    if file.name not in SCALED:
        continue
    expected[f"{file.name}/grey"] = np.asarray(image.convert("L"))[..., None]
    expected[f"{file.name}/stretched"] = np.asarray(image.resize((24, 30), Image.BILINEAR))
    expected[f"{file.name}/enlarged"] = np.asarray(image.resize((90, 50), Image.BILINEAR))
    for size in [(20, 21), (33, 20), (58, 60)]:
        short = max(size[0] / HEIGHT, size[1] / WIDTH)
        side = size[0] if size[0] / HEIGHT == short else size[1]
        # torchvision's Resize of the side that decides, then CenterCrop
        scaled = (size[0], int(size[0] * WIDTH / HEIGHT)) if side == size[0] else (int(size[1] * HEIGHT / WIDTH), size[1])
        cut = transforms.CenterCrop(size)(transforms.Resize(scaled)(image))
        expected[f"{file.name}/crop {size[0]}x{size[1]}"] = np.asarray(cut)
np.savez_compressed(OUT / "pillow.npz", **expected)
