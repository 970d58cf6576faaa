"""Opens a safetensors file as a user would and says what is in it: usage: $INTEROP_HOME/ik/bin/python tensors.py FILE"""
import hashlib,json,sys
from safetensors import safe_open
with safe_open(sys.argv[1],framework="numpy") as f:
    seen={"metadata":f.metadata() or {}}
    for name in f.keys():
        t=f.get_tensor(name)
        seen[name]=dict(shape=list(t.shape),dtype=str(t.dtype),sha256=hashlib.sha256(t.astype("<f4").tobytes()).hexdigest())
print(json.dumps(seen))
