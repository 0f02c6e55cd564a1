"""Run by cleanvision's own Python: time of each of its checks over a folder, one process. JSON to stdout.

python ask_cleanvision.py FOLDER
"""

import json
import sys
import time
from pathlib import Path

from cleanvision import Imagelab

folder = sys.argv[1]
spent = {}
for check in ("odd_size", "odd_aspect_ratio", "blurry", "near_duplicates"):
    lab = Imagelab(data_path=folder, verbose=False)
    began = time.process_time()
    lab.find_issues({check: {}}, n_jobs=1, verbose=False)
    spent[check] = time.process_time() - began
count = sum(1 for _ in Path(folder).iterdir())
print(json.dumps({"images": count, "cpu_s": spent}))
