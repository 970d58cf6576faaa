"""hivemind's hash table, each peer two processes over loopback: usage: $INTEROP_HOME/hm/bin/python dht_hivemind.py PEERS [COUNT=100]
Prints a line of JSON: values put and got a second, one after the other and 32 at a time, and how many came back."""
import os,sys,time,json
os.environ["HIVEMIND_LOGLEVEL"]="ERROR"; os.environ["OMP_NUM_THREADS"]="1"
import hivemind
from concurrent.futures import ThreadPoolExecutor
from hivemind.utils import get_dht_time
def main():
    peers=int(sys.argv[1]); count=int(sys.argv[2]) if len(sys.argv)>2 else 100
    t=time.perf_counter(); made=[hivemind.DHT(start=True,host_maddrs=["/ip4/127.0.0.1/tcp/0"])]
    first=[str(x) for x in made[0].get_visible_maddrs()]
    with ThreadPoolExecutor(4) as pool:
        made+=pool.map(lambda _: hivemind.DHT(initial_peers=first,start=True,host_maddrs=["/ip4/127.0.0.1/tcp/0"]),range(1,peers))
    joined=time.perf_counter()-t; result={}; end=get_dht_time()+600
    for name,width in (("seq",1),("conc",32)):
        for what in ("put","get"):
            def one(i):
                if what=="put": return made[i%peers].store(f"{name} {i}",b"v"*100,end)
                found=made[(i+peers//2)%peers].get(f"{name} {i}",latest=True)
                return found is not None and found.value==b"v"*100
            t=time.perf_counter()
            if width==1: good=sum(one(i) for i in range(count))
            else:
                with ThreadPoolExecutor(width) as pool: good=sum(pool.map(one,range(count)))
            result[f"{what}_{name}"]=dict(per_s=count/(time.perf_counter()-t),asked=count,found=good)
    print(json.dumps(dict(nodes=peers,join_s=joined,**result)),flush=True)
    for x in made: x.shutdown()
if __name__=="__main__": main()
