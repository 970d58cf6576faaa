import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What is remembered against peers, and where they are said to be.
@Suite struct ConductTests {
  private func at(_ seconds: Double) -> Instant { .origin + .seconds(seconds) }

  @Test func `misconduct fades, bans end, and the next one is longer`() {
    var limits = ConductLimits()
    limits.halfLife = .seconds(10)
    limits.ban = .seconds(30)
    limits.longestBan = .seconds(100)
    var book = Misconduct<Int>(limits, tolerance: 3)
    for second in stride(from: 0.0, to: 200, by: 20) {
      #expect(book.offend(1, 1, at: at(second)) == nil, "now and then is borne")
    }
    #expect(book.points(of: 1, at: at(1_000)) < 0.001)
    #expect(book.offend(3, 1, at: at(0)) == nil && book.offend(3, 1, at: at(0.5)) == nil)
    #expect(book.offend(3, 1, at: at(1)) == .seconds(30), "three at once are three")
    #expect(book.offend(2, 1, at: at(0)) == nil && book.offend(2, 1, at: at(1)) == nil)
    #expect(book.offend(2, 1.5, at: at(2)) == .seconds(30))
    #expect(book.ban(of: 2, at: at(31)) != nil && book.ban(of: 2, at: at(33)) == nil && book.ban(of: 1, at: at(31)) == nil)
    #expect(book.offend(2, 3, at: at(40)) == .seconds(60))
    #expect(book.offend(2, 3, at: at(50)) == nil, "who is shut out is not shut out again")
    #expect(book.offend(2, 3, at: at(200)) == .seconds(100))
    #expect(book.offend(2, 3, at: at(10_000)) == .seconds(30), "after a long time all is forgotten")
  }

  @Test func `as many are remembered as may be, those that are shut out longest`() {
    var limits = ConductLimits()
    limits.remembered = 100
    var book = Misconduct<Int>(limits, tolerance: 3)
    #expect(book.offend(-1, 5, at: at(0)) != nil)
    for key in 0..<10_000 {
      _ = book.offend(key, 0.1, at: at(Double(key) / 1_000))
      #expect(book.count <= 101)
    }
    #expect(book.ban(of: -1, at: at(10)) != nil)
  }

  @Test func `addresses of one line are one source`() throws {
    func source(_ text: String) throws -> Source { try #require(Source(Multiaddr(parsing: text))) }
    #expect(try source("/ip4/1.2.3.4/tcp/1") == source("/ip4/1.2.3.4/tcp/9"))
    #expect(try source("/ip4/1.2.3.4/tcp/1") != source("/ip4/1.2.3.5/tcp/1"))
    #expect(try source("/ip6/2001:db8::1/tcp/1") == source("/ip6/2001:db8::ffff/tcp/1"))
    #expect(try source("/ip6/2001:db8::1/tcp/1") != source("/ip6/2001:db8:0:1::1/tcp/1"))
    #expect(try source("/ip6/::ffff:1.2.3.4/tcp/1") == source("/ip4/1.2.3.4/tcp/1"))
    #expect(try source("/ip4/127.9.9.9/tcp/1").isLoopback && source("/ip6/::1/tcp/1").isLoopback)
    #expect(try source("/ip4/1.2.3.4/tcp/1").description == "1.2.3.4")
    #expect(try source("/ip6/2001:db8:0:1::1/tcp/1").description == "2001:db8:0:1::/64")
    #expect(Source(try Multiaddr(parsing: "/dns/example.org/tcp/1")) == nil)
  }

  @Test func `hearsay pushes out hearsay, never what is proven`() throws {
    var book = AddressBook(limit: 40)
    func peer(_ number: Int) -> PeerID { KeyPair(seed: .sha256(of: Array("\(number)".utf8))).peerID }
    let good = try Multiaddr(parsing: "/ip4/10.0.0.1/tcp/1")
    for number in 0..<20 { book.learn(peer(number), [good], isProven: true) }
    for number in 100..<1_000 { book.learn(peer(number), [try Multiaddr(parsing: "/ip4/10.9.9.9/tcp/\(number)")]) }
    #expect(book.count <= 40)
    for number in 0..<20 {
      for port in 1..<50 { book.learn(peer(number), [try Multiaddr(parsing: "/ip4/10.6.6.6/tcp/\(port)")]) }
      #expect(book.addresses(of: peer(number)).first == good)
      #expect(book.addresses(of: peer(number)).count <= AddressBook.perPeer)
    }
  }
}
