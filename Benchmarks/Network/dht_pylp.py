"""py-libp2p's hash table, many peers in one process over loopback: usage: $INTEROP_HOME/p2p/bin/python dht_pylp.py PEERS [COUNT=50]
Prints a line of JSON: lookups a second, one after the other and 32 at a time, and how many found what they sought. `closest` is the search
for the nearest peers alone; values are got by peers that do not hold them, since a holder looks into its memory and nowhere else."""
import sys,json,os,time,logging
_o=os.dup(1); os.dup2(2,1); out=os.fdopen(_o,"w",buffering=1)
logging.disable(logging.CRITICAL)
import trio
from contextlib import AsyncExitStack
from multiaddr import Multiaddr
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as x25519
from libp2p.security.noise.transport import Transport as Noise,PROTOCOL_ID as NOISE
from libp2p.kad_dht.kad_dht import KadDHT,DHTMode
from libp2p.records.validator import BlankValidator
from libp2p.tools.anyio_service import background_trio_service
from libp2p.tools.utils import info_from_p2p_addr
peers=int(sys.argv[1]); count=int(sys.argv[2]) if len(sys.argv)>2 else 50
async def main():
    t=time.perf_counter(); hosts=[]; tables=[]
    async with AsyncExitStack() as stack:
        for n in range(peers):
            kp=create_new_key_pair()
            host=new_host(key_pair=kp,sec_opt={NOISE:Noise(kp,noise_privkey=x25519().private_key)},muxer_preference="YAMUX")
            await stack.enter_async_context(host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]))
            # Everybody is on one address here, so peers of one network are not counted.
            table=KadDHT(host,DHTMode.SERVER,max_peers_per_subnet=0); table.register_validator("bench",BlankValidator())
            await stack.enter_async_context(background_trio_service(table))
            hosts.append(host); tables.append(table)
            if n>0:
                first=info_from_p2p_addr(hosts[0].get_addrs()[0])
                await host.connect(first); await table.add_peer(first.peer_id)
        for table in tables if peers<=32 else []:   # of a hundred this alone takes more than six minutes
            try: await table.refresh_routing_table()
            except Exception: pass
        joined=time.perf_counter()-t; result={}
        for name,width in (("seq",1),("conc",32)):
            for what in ("closest","put","get"):
                good=[0]
                def seeker(i):
                    for k in range(peers):
                        table=tables[(i+peers//2+k)%peers]
                        if not table.value_store.get(f"/bench/{name} {i}".encode()): return table
                if what=="get" and seeker(0) is None: continue   # so few peers that all of them hold everything
                async def lane(start):
                    for i in range(start,count,width):
                        with trio.move_on_after(30):
                            try:
                                if what=="closest": good[0]+=len(await tables[i%peers].peer_routing.find_closest_peers_network(b"%s %d"%(name.encode(),i)))>=min(20,peers-1)
                                elif what=="put": await tables[i%peers].put_value(f"/bench/{name} {i}",b"v"*100); good[0]+=1
                                else: good[0]+=await seeker(i).get_value(f"/bench/{name} {i}",3)==b"v"*100
                            except Exception: pass
                t=time.perf_counter()
                async with trio.open_nursery() as nursery:
                    for k in range(width): nursery.start_soon(lane,k)
                result[f"{what}_{name}"]=dict(per_s=count/(time.perf_counter()-t),asked=count,found=good[0])
        out.write(json.dumps(dict(nodes=peers,join_s=joined,table=tables[peers//2].get_routing_table_size(),**result))+"\n"); out.flush()
        os._exit(0)
trio.run(main)
