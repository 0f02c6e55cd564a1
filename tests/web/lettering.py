"""Lettering for pictures of the small web, on machines without any font.

Latin comes from the font inside Pillow. The Japanese words are pictures of lettering (IPA Gothic, whose
licence lets documents carry it), 1-bit PNG in base64.
"""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

_JAPANESE = {
    "AI学習禁止": (
        "iVBORw0KGgoAAAANSUhEUgAAARwAAAA2AQAAAAA9zxupAAACTElEQVR42rWUvXLTQBDHf3u+iVV4RipTJX6ElC4AC4YH"
        "4BFSUmaoQyIoGDryBvgBKHgCRiENJSWlPEORguI8UJyDpKWw9WFbcijgGt3e/PTfvf04+N/rDMlqw9S7ZMJkFx6mbWgQ"
        "xxwwUP2p6rfIGrJYHvX4NgwzQnXk48+9AZq2cU4hUogku1AEQBnNxcMEzmCg75blcd5AwcZPT+Ftt7vFwwgNMA5u4M2+"
        "mJzNIEu4hsIshnZpGyhcyz9fAriYLAETYGuGaicl78EH3nI78nBAYLpTANx9I/8IVoikF9IZxRMIkvTIJQ00Xnmci4gk"
        "kCIXEPpx7OOqEwxl2lYa5Bz8gqM8Os/Hfe7sLYcO4kJ8GfVBhxmnM+ScF05HAFPNMMQb3Gksl0liPB8yXjdK+So4UVWH"
        "vLzk7hLrIOVTp7sAk4PH5xk+IQO4lvF2TOUtegVlzG/43pz7Y3iwanoHyfQH03pOJBumW1CYAYStvlxDBu+qo5PZaraA"
        "UFV1pwsAUgGIFrtNJ2FVyEGxKvHeaRn9AkKdqyYsRKS7Vb7+zdylvZCZB3H1ZACISLR3gvtWlYKhB1BTtx5Q2Fopy+9V"
        "MhbG90Lr71IkEqmsQiR6JbY3cFVdF/O0pZSWXR4cctVAQfVAba4ARpsxhTeuaSGRCMTX6ehPpnHwuLGiRIOOHK+eqv1K"
        "QQquvp6dQ4BsQydJiI8GOR4tbI/SFMiDXXeTqEmmXFgoO243zFpK+cChvhAREdsTuHpIOOu4nbaS+Qxgtjt3X9o1TNfz"
        "9a/XH3zpyjNVS1RcAAAAAElFTkSuQmCC"
    ),
    "無断転載禁止": (
        "iVBORw0KGgoAAAANSUhEUgAAAVQAAAA4AQAAAACKqD2NAAADEUlEQVR42r2WT47cRBTGf69c6vYior1ELMbmBnOAIW5u"
        "wBHmCBESEpFGSU0SacKKOQIHYMEBosgdWHAKZCOWCLl3bqj2Y+F/1VPTEiygNu32+/zqe6+++qrgPxvVv8C24R+ph98L"
        "1g54Nr8ADPJP8q0rwMx5r4Drk/jDDwwmiN4HEY+LsNQASQV0KYDqONM2wtpSx2i5vNZGK/+QgyUdHlZcbXmbeLop1BeJ"
        "55sV3s7YcXwM7F0CS2OyiEO22z/PM1o4LkHJZVu2EbYYo+DhaJp0jl0fzX5tD3bBztVexYtvUqwN8t6cW6uyhxXp0n8j"
        "Y91d2Pm1NuoBK2SLBozOj1/HqVNXXbRu4fDsRGZ9Ple/M2y6YtttJ60ZvptgQYsOkosFLnx244tAD5NUHhnbo3R9FmH1"
        "ZQHwoQkZ3fBlq08ASq0xa19u7pqeHtY6FZpooy2Yju9rXkV5yx/7hwyubQsV7yNs0Fsdv7r3NZ0b9L2TAnOwu/3z3AAc"
        "0tsRf5RcMui3/AW/RXl3nxmAp3kwhXLfa0HMYdLQId0ZXjb6/tNYk+eZw0ZV9RHEwPVDc96Igmyh0Pa5xdTnsBJtcWAv"
        "IvJI3r6Itvi5vEYnjaTApvEa8V7yVunUX7e4wClWfLm5azosb2bqjn1uifxsJpV+5afiVtO7xAMcbdyzGlDTZNMSasRB"
        "RUQkZTMb2cbDpoktdcxroQjOgqF7PUeR7FYC31nB5Sfwy1LLJPong+LD8+J1VQn8Dh2s+7yDjNtcts5Ai9wH2BTS1i22"
        "y4XOy046ZR/5Olx3qoUUQAxIh4aqzcBSwE8AB9Ok4Nba6J8CpoXPA2xOMRjJLKjkDYCtv8XWULuTnlV9Rql+OuhGC/ph"
        "S1pBe71gn/ZDgbMa7gY/y7qCSwddlvR5V6rH4AC1y3J/ND5duuEU8+mS15M1OHZihz3TcSgASt/LC7usTODrgeTeCsCL"
        "HnzSot1RRETsMJ3yLrhINE4B8eq0A7eYudEWfuXnwKcL/gBMxzu+AGYzD0/ohLVb7hpSLWqPx4NLh+P/Gn8DB84NlSFV"
        "Xc0AAAAASUVORK5CYII="
    ),
    "見本": (
        "iVBORw0KGgoAAAANSUhEUgAAAHQAAAA2AQAAAAA+cYDtAAABBklEQVR42pWTMU4DMRREn78tsQWS9wBI2WNQRXuUHCNF"
        "EIaOU8BJkHMDSsoVJ3BBYaTEpoDdtRcEye/mz7dn7LHh5LIAsmgKFznnVOAl/wPfKdWdM38WZvZjAcx3Vx8AjuZUP0el"
        "+r0yf+n1XY3dQj+HQh9UeFj4NZW+DL7iDW/1vFcVbgiuxK2LfYkzdKWftdWh5NekpuSj5QDCh9nfCKgI9yDjEQTYF+tN"
        "gMEhgAdoBgibmW89xHbEWzaPIe8uEWgAuAWSTPM6AV/3tmLHVkcsXM/7RYBXBFYA6QUgIPAMuOzHfDSgpjSEq3d0ilN+"
        "agj4Ks8nIMwxJbDZje+noOxv/+G/+gQwC1RWsAOEMAAAAABJRU5ErkJggg=="
    ),
    "冨嶽三十六景": (
        "iVBORw0KGgoAAAANSUhEUgAAAVQAAAA3AQAAAAB7/o9YAAACRElEQVR42rWWQXLTQBBFX49UJS9cFRWrLAJ2cYIcwBBz"
        "E6q4RBYpUCALlhyAg7AUnCBHkIsFy0xYySnJn4UsI43kxKHCrCT7T8/v37+nBf99HfXeZkOAax/OASsG/8/GsPeeKEng"
        "TJJUHrLFPSKh+CCUwQwcKzOzrP31TJLyBzgk8to8BQcBhiORHgq4o/1L0uZ8XxFmHX0fp8PazBzkGZwEkEgqpCrUwebv"
        "5Fkedsrqp/xJ0ecbSZKqnR9aVZ4NPUZtZmbxXw7WWGdSW0p6WC2uDPg8Drq1o9suNv9+iCdXjXVmKskP4yCA1vJRBVDH"
        "e3z2BuB69OBE8o1ntjoIEm22UrbCcsIRJJKkzS5uNN5xEWk24DD1n+S7RZibxSD8krWZmTkcMrMJ5VdYPx906pxymFuV"
        "AS/h1swsgIfYOn5lIxV+TZXSto67t3OBzWSo72QUedHUKMCmUUeHsLKXZnNw1JZa3Muh0wElfBzGfdG04HDlQ+yiHtHB"
        "+W6AHTbbJ0SRwQep6PRxObYhLvqWi+RV4XwivwhjTgC/DDnEBVAuRxIr56wtvXQdvqOVS3u7Wn2rDMs2ocbzDKoUzrHT"
        "jncoRrQ425K+wk2D2XKT7pqnYx6IKuqog3VgAwO9BxQTl7DMu/evft8EJGx7wPE1XJ/2OLgivBDKxpdFDuV0VwvinJgf"
        "/ZuxGSNlpAzuejW243wVjB8P8IW7xKOLvg6ZgtzeNuFLyPgGLIAoNyXMmI5/DGSJ+nffmhv2jPssqv9thj79+gPoFvSb"
        "yOSVDgAAAABJRU5ErkJggg=="
    ),
    "北斎": (
        "iVBORw0KGgoAAAANSUhEUgAAAHQAAAA3AQAAAAD1LVNIAAABQUlEQVR42pWTQU7DMBBF3zhRzQLJYVcQorkC+0rtUTgC"
        "B0A0bNj2SmHXHTlCegNX6iKtkgyLOKZ0AWUWtr6///h7PIaLwwEYcFJ/L5qzTX/hNMy2AVBzqf4gB0m35oR/J60jX8AH"
        "03LwKbWU4IoFI0482LqP+a6B9vYIGKsesgq6SRP5pxIoKgCrKtseQD2QHsQx6YEEN+6f7oH7Iz6cpyWg5UKLgIGZ4rQf"
        "cAuJNqD9oN9DygaykM8DlMBrrFe7cUr1GO/fLX+vL+wE9//3MZCdLa2kJseqqgKISs18xIbJjzSGKUAPb5lkYKirU28m"
        "ITi33AEm7QJ7FfT7CHeAaUf5OvBLYBiaAkzH4DjLY59KQ8vD3CWfwZjVlnwe76sAS/GEfmGlnpcbHTocx0xLGlFcqOdW"
        "GGUxnscfESK/7BN9AT8iaBtaNWhsAAAAAElFTkSuQmCC"
    ),
}


def lettering(words: str, height: int) -> Image.Image:
    """The words as an 8-bit mask, white where ink goes, about `height` pixels high.

    Raises KeyError for words that are neither ASCII nor drawn here.
    """
    if words.isascii():
        font = ImageFont.load_default(height)
        left, top, right, bottom = font.getbbox(words)
        image = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2))
        ImageDraw.Draw(image).text((1 - left, 1 - top), words, 255, font)
        return image
    with Image.open(BytesIO(b64decode(_JAPANESE[words]))) as drawn:
        mask = drawn.convert("L")
    return mask.resize((max(1, mask.width * height // mask.height), height), Image.Resampling.LANCZOS)
