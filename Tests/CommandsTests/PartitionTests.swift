import Foundation
import Testing

/// Three hosts of our own making: two with peers, joined by the third, a bridge that can keep them apart without a word to either.
private final class Hosts {
  static let isPossible: Bool = {
    guard getuid() == 0 else { return false }
    guard let hosts = try? Hosts(tag: "probe") else { return false }
    return hosts.isJoined
  }()

  private let name: String
  private(set) var isJoined = false

  init(tag: String) throws {
    name = "mu\(ProcessInfo.processInfo.processIdentifier % 100_000)\(tag.prefix(1))"
    for host in ["s", "a", "b"] { try ip(["netns", "add", name + host]) }
    try ip(["-n", name + "s", "link", "add", "br0", "type", "bridge"])
    try ip(["-n", name + "s", "link", "set", "br0", "up"])
    for (host, address) in [("a", "10.71.0.1/24"), ("b", "10.71.0.2/24")] {
      let own = name + host
      try ip(["link", "add", "eth0", "netns", own, "type", "veth", "peer", "name", "p" + host, "netns", name + "s"])
      try ip(["-n", name + "s", "link", "set", "p" + host, "master", "br0"])
      try ip(["-n", name + "s", "link", "set", "p" + host, "up"])
      try ip(["-n", own, "link", "set", "lo", "up"])
      try ip(["-n", own, "link", "set", "eth0", "up"])
      try ip(["-n", own, "addr", "add", address, "dev", "eth0"])
    }
    try part(true)
    try part(false)
    isJoined = true
  }

  deinit { for host in ["s", "a", "b"] { try? ip(["netns", "del", name + host]) } }

  /// Parts the hosts, or joins them again: packets between them vanish.
  func part(_ isParted: Bool) throws {
    for port in ["pa", "pb"] {
      try run(
        "/usr/bin/env",
        ["ip", "netns", "exec", name + "s", "bridge", "link", "set", "dev", port, "isolated", isParted ? "on" : "off"])
    }
  }

  func inside(_ host: String) -> String { name + host }

  private func ip(_ arguments: [String]) throws { try run("/usr/bin/env", ["ip"] + arguments) }

  private func run(_ path: String, _ arguments: [String]) throws {
    guard try Spawned([path] + arguments, in: "/").end() == 0 else { throw CocoaError(.featureUnsupported) }
  }
}

/// What a peer in a host said last.
private final class Resident {
  let peer: RunningProgram

  init(_ folder: Folder, _ hosts: Hosts, _ host: String, _ number: Int, begins: Double, join: [String], store: String? = nil)
    throws
  {
    var arguments = [
      "peer", "--session", "s.yaml", "--number", "\(number)", "--json", "--begins", "\(begins)",
      "--listen", "/ip4/\(host == "a" ? "10.71.0.1" : "10.71.0.2")/tcp/0",
    ]
    for address in join { arguments += ["--join", address] }
    if let store { arguments += ["--store", store] }
    peer = try RunningProgram(folder, arguments, inside: hosts.inside(host))
  }
}

@Suite("Networks that fall apart", .serialized, .enabled(if: Hosts.isPossible, "network namespaces cannot be made here"))
struct PartitionTests {
  @Test("Two halves, apart for a minute without a word, are one network again half a minute after they can be, by themselves")
  func merge() throws {
    let folder = try Folder()
    try folder.write("name: halves\nseed: 3\npeers: {count: 6}\nsession: {cycle: 500 ms, length: 200 s}\n", to: "s.yaml")
    let hosts = try Hosts(tag: "merge")
    let begins = Date().timeIntervalSince1970 + 1
    let first = try Resident(folder, hosts, "a", 0, begins: begins, join: [])
    let address = try first.peer.address()
    let others = try (1..<6).map { try Resident(folder, hosts, $0 % 2 == 0 ? "a" : "b", $0, begins: begins, join: [address]) }
    let all = [first.peer] + others.map(\.peer)
    #expect(
      try all.allSatisfy { try $0.hears(within: 30) { $0["neighbours"] as? Int == 5 } }, "everybody is connected with everybody")
    try hosts.part(true)
    let parted = Date()
    #expect(try all.allSatisfy { try $0.hears(within: 58) { $0["neighbours"] as? Int == 2 } }, "the halves have noticed")
    // Cycles go on in both halves meanwhile, until the minute is over.
    #expect(try all.allSatisfy { try $0.hears(within: 70) { _ in Date().timeIntervalSince(parted) >= 60 } })
    try hosts.part(false)
    let joined = Date()
    #expect(
      try all.allSatisfy { try $0.hears(within: 30) { ($0["neighbours"] as? Int ?? 0) >= 3 } },
      "every peer has met the other half")
    #expect(Date().timeIntervalSince(joined) <= 30)
  }

  @Test("The first peer is dead: a newcomer that was there before joins from what it remembers")
  func returns() throws {
    let folder = try Folder()
    try folder.write("name: memory\nseed: 4\npeers: {count: 4}\nsession: {cycle: 300 ms, length: 100 s}\n", to: "s.yaml")
    let hosts = try Hosts(tag: "return")
    let begins = Date().timeIntervalSince1970 + 1
    let first = try Resident(folder, hosts, "a", 0, begins: begins, join: [])
    let address = try first.peer.address()
    let second = try Resident(folder, hosts, "b", 1, begins: begins, join: [address])
    _ = try second.peer.address()
    let third = try Resident(folder, hosts, "a", 2, begins: begins, join: [address], store: "third")
    #expect(try third.peer.hears(within: 20) { ($0["neighbours"] as? Int ?? 0) >= 2 })
    third.peer.kill()
    first.peer.kill()
    // It is told nobody's address, or only the dead one's.
    for join in [[], [address]] {
      let again = try Resident(folder, hosts, "a", 2, begins: begins, join: join, store: "third")
      #expect(try again.peer.hears(within: 20) { ($0["neighbours"] as? Int ?? 0) >= 1 }, "joins with \(join)")
      again.peer.kill()
    }
  }
}
