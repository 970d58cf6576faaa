import MurmurWire
import Testing

/// From where addresses can be reached, and whose neighbours they are.
@Suite struct ReachTests {
  @Test(arguments: [
    ("/ip4/127.0.0.1/tcp/1", Multiaddr.Reach.loopback), ("/ip6/::1/tcp/1", .loopback), ("/ip4/169.254.1.1/tcp/1", .link),
    ("/ip6/fe80::1/tcp/1", .link), ("/ip6zone/eth0/ip6/fe80::1/tcp/1", .link), ("/ip4/10.1.2.3/tcp/1", .site),
    ("/ip4/172.16.0.1/tcp/1", .site), ("/ip4/172.32.0.1/tcp/1", .global), ("/ip4/192.168.0.1/tcp/1", .site),
    ("/ip4/100.64.0.1/tcp/1", .site), ("/ip6/fd00::1/tcp/1", .site), ("/ip4/8.8.8.8/tcp/1", .global),
    ("/ip6/2606:4700::1/tcp/1", .global), ("/dns4/example.org/tcp/1", .named), ("/dns/localhost/tcp/1", .site),
    ("/ip4/0.0.0.0/tcp/1", .none), ("/ip4/224.0.0.1/tcp/1", .none), ("/ip4/255.255.255.255/tcp/1", .none),
    ("/ip6/::/tcp/1", .none),
    ("/ip6/ff02::1/tcp/1", .none), ("/ip6/2001:db8::1/tcp/1", .none), ("/ip6/::ffff:10.0.0.1/tcp/1", .site), ("/tcp/1", .none),
    ("/ip4/8.8.8.8/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N/p2p-circuit", .none),
  ])
  func `reach follows the registries of special addresses`(text: String, reach: Multiaddr.Reach) throws {
    #expect(try Multiaddr(parsing: text).reach == reach, "\(text)")
  }

  @Test func `groups are prefixes, of both versions alike, or names`() throws {
    func group(_ text: String) throws -> Multiaddr.Group? { try Multiaddr(parsing: text).group }
    #expect(try group("/ip4/8.8.1.1/tcp/1") == group("/ip4/8.8.200.3/udp/9/quic-v1"))
    #expect(try group("/ip4/8.8.1.1/tcp/1") != group("/ip4/8.9.1.1/tcp/1"))
    #expect(try group("/ip4/8.8.1.1/tcp/1") == group("/ip6/::ffff:8.8.4.4/tcp/1"))
    #expect(try group("/ip6/2606:4700:1::1/tcp/1") == group("/ip6/2606:4700:ffff::2/tcp/1"))
    #expect(try group("/ip6/2606:4700::1/tcp/1") != group("/ip6/2606:4701::1/tcp/1"))
    #expect(try group("/dns4/example.org/tcp/1") != group("/dns4/example.net/tcp/1"))
    #expect(try group("/tcp/1") == nil)
  }

  @Test func `an address without the peer at its end`() throws {
    let bare = try Multiaddr(parsing: "/ip4/8.8.8.8/tcp/1")
    let whole = try Multiaddr(parsing: "/ip4/8.8.8.8/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
    #expect(whole.withoutPeer == bare && bare.withoutPeer == bare)
    #expect(try Multiaddr(parsing: "/ip6/::ffff:10.0.0.1/tcp/1").hostBytes == [10, 0, 0, 1])
  }
}
