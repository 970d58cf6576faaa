import MurmurMachines
import MurmurWire
import Testing

/// Addresses as text and as bytes.
@Suite struct MultiaddrTests {
  /// Pairs from multiformats/multiaddr's description and go-multiaddr's tests.
  @Test(arguments: [
    ("/ip4/127.0.0.1/udp/1234", "047f000001910204d2"),
    ("/ip4/127.0.0.1/tcp/4321", "047f0000010610e1"),
    ("/ip4/127.0.0.1/udp/1234/ip4/127.0.0.1/tcp/4321", "047f000001910204d2047f0000010610e1"),
    ("/ip6/2001:8a0:7ac5:4201:3ac9:86ff:fe31:7095/tcp/8000", "29200108a07ac542013ac986fffe317095061f40"),
    ("/ip6/::1/tcp/1", "2900000000000000000000000000000001060001"),
    ("/dns/example.com", "350b6578616d706c652e636f6d"),
    ("/ip4/1.2.3.4/udp/4001/quic-v1", "0401020304" + "9102" + "0fa1" + "cd03"),
    ("/ip4/127.0.0.1/tcp/9090/ws", "047f00000106" + "2382" + "dd03"),
    ("/p2p-circuit", "a202"),
    (
      "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
      "a503221220d52ebb89d85b02a284948203a62ff28389c57c9f42beec4ec20db76a68911c0b"
    ),
  ]) func `text and bytes agree`(text: String, digits: String) throws {
    let address = try Multiaddr(parsing: text)
    #expect(address.bytes == hex(digits))
    #expect(try Multiaddr(bytes: hex(digits)) == address)
    #expect(address.description == text)
  }

  @Test func `forms that mean the same are written one way`() throws {
    #expect(try Multiaddr(parsing: "/ip6/2001:0DB8:0:0:0:0:0:1/tcp/1/").description == "/ip6/2001:db8::1/tcp/1")
    #expect(try Multiaddr(parsing: "/ip6/::ffff:192.0.2.1").description == "/ip6/::ffff:c000:201")
    #expect(try Multiaddr(parsing: "/ip6/1:0:0:2:0:0:0:3").description == "/ip6/1:0:0:2::3")
    #expect(try Multiaddr(parsing: "/ip6/1::").description == "/ip6/1::")
    let old = try Multiaddr(parsing: "/ip4/1.2.3.4/tcp/1/ipfs/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
    #expect(old.description.contains("/p2p/Qm") && old.peer != nil)
    #expect(try Multiaddr(parsing: "/unix/tmp/peer.sock").parts == [.unix("/tmp/peer.sock")])
    let modern = "/p2p/bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe"
    #expect(try Multiaddr(parsing: modern).description == "/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
  }

  @Test(arguments: [
    "", "/", "//", "ip4/1.2.3.4", "/ip4", "/ip4/1.2.3", "/ip4/256.1.1.1", "/ip4/01.2.3.4", "/ip4/1.2.3.4/tcp", "/tcp/65536",
    "/tcp/-1", "/tcp/+1", "/ip6/:::", "/ip6/1:2:3:4:5:6:7:8:9", "/ip6/1:2:3:4:5:6:7::8:9", "/ip6/g::", "/bogus/1", "/p2p/xyz",
    "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKCC", "/dns/a b", "/tcp/1//udp/2", "/ip6/1::2::3",
  ]) func `nonsense is refused`(text: String) {
    #expect(throws: WireError.self) { try Multiaddr(parsing: text) }
  }

  @Test func `hostile addresses never trap, and what is read is written back`() throws {
    var chance = Chance(seed: 4)
    let good = try Multiaddr(
      parsing:
        "/dns4/a.example/ip6/1::2/ip6zone/eth0/tcp/4001/tls/sni/b.example/ws/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
    for _ in 0..<Effort.inputs {
      if let address = try? Multiaddr(bytes: mutated(good.bytes, &chance)) {
        #expect(try Multiaddr(bytes: address.bytes) == address)
        #expect(try Multiaddr(parsing: address.description) == address, "\(address)")
      }
      let text = String(decoding: mutated(Array(good.description.utf8), &chance), as: UTF8.self)
      if let address = try? Multiaddr(parsing: text) { #expect(try Multiaddr(bytes: address.bytes) == address) }
    }
  }
}
