package import MurmurControl

/// What the facts about a running peer mean: is it reachable, from where, and what is to be changed.
///
/// Nothing is claimed that was not seen: who was reached from the same machine is not thereby reachable from the internet.
package enum Diagnosis {
  package typealias Health = ControlAnswer.Health

  /// Room on a disk below which a store is in danger, and below which it soon may be.
  static let leastRoom: (problem: UInt64, warning: UInt64) = (256 << 20, 2 << 30)
  /// Seconds that clocks may differ by.
  static let clockError: (warning: Double, problem: Double) = (5, 120)

  /// All findings, the peer itself first.
  package static func findings(_ health: Health) -> [Finding] {
    var found = [
      Finding.ok(
        "peer \(health.peer) runs as process \(health.process), session '\(health.session)'\(health.hasEnded ? ", which is over" : "")"
      )
    ]
    found += listening(health) + company(health) + reachability(health)
    found += clock(health) + [files(health)] + disk(health)
    return found
  }

  /// Where it waits for others.
  static func listening(_ health: Health) -> [Finding] {
    let all = health.listening
    guard !all.isEmpty else {
      return [
        .problem(
          "it listens nowhere, so nobody can dial it", fix: "start it with --listen /ip4/0.0.0.0/tcp/4101, or another port")
      ]
    }
    let names = all.map { "\($0.address) (\(words($0.reach)))" }.joined(separator: ", ")
    if all.allSatisfy({ $0.reach == "loopback" }) {
      return [
        .warning(
          "it listens only for programs of this machine: \(names)",
          fix: "start it with --listen /ip4/0.0.0.0/tcp/4101 (and /ip6/::/tcp/4101) if other machines shall reach it")
      ]
    }
    return [.ok("it listens at \(names)")]
  }

  /// Who is there.
  static func company(_ health: Health) -> [Finding] {
    let count = health.inbound + health.outbound
    guard count > 0 else {
      return [
        .problem(
          "it is connected to nobody",
          fix:
            "give it a peer to begin with: --join ADDRESS/p2p/PEER as `murmur peer` prints it, or --invitation from `murmur invite`"
        )
      ]
    }
    var found = [
      Finding.ok(
        "it is connected to \(count) \(count == 1 ? "peer" : "peers"): \(health.outbound) dialled from here, \(health.inbound) came"
      )
    ]
    if count * 10 >= health.mostConnections * 9 {
      found.append(
        .warning(
          "\(count) of at most \(health.mostConnections) connections are open",
          fix: "start further peers, so that newcomers find room"))
    }
    if health.known.allSatisfy({ $0 == 0 }) {
      found.append(
        .warning(
          "its hash tables are empty: what it provides cannot be found",
          fix: "join a peer that serves /murmur/kad/1.0.0 or /ipfs/lan/kad/1.0.0, as every `murmur peer` does"))
    }
    return found
  }

  /// Whether others can reach it, as far as they were asked.
  static func reachability(_ health: Health) -> [Finding] {
    var found: [Finding] = []
    let seen = health.sightings.map(\.address)
    if let announced = health.believed.first {
      found.append(.ok("enough peers see it at \(announced.address), so that it announces this address"))
    } else if !seen.isEmpty {
      let hosts = seen.reduce(into: [String]()) { hosts, address in
        let host = address.split(separator: "/").prefix(2).joined(separator: "/")
        if !hosts.contains(host) { hosts.append(host) }
      }
      found.append(.ok("others see it at \(hosts.map { "/" + $0 }.joined(separator: ", "))"))
    }
    let asked = health.dialbacks.filter { $0.verdict == "reached" || $0.verdict == "unreached" }
    guard !asked.isEmpty else {
      guard health.inbound + health.outbound > 0 else { return found }
      let why =
        health.dialbacks.isEmpty ? "no connected peer offers to dial back" : "nobody would dial back just now: \(excuses(health))"
      if health.inbound > 0 {
        return found + [.ok("\(health.inbound) peers came to it, so it can be reached from where they are (\(why))")]
      }
      return found + [
        .warning(
          "whether others can reach it is not known: \(why)",
          fix: "connect it to a murmur peer on another machine, wait a minute, and ask again")
      ]
    }
    for one in asked { found.append(verdict(one)) }
    let isFar = asked.contains { $0.from == "global" || $0.from == "site" || $0.from == "link" }
    if !isFar, asked.contains(where: { $0.verdict == "reached" }) {
      found.append(
        .warning(
          "nobody on another machine was there to ask: what holds beyond this machine is not known",
          fix: "connect it to a peer elsewhere and ask again"))
    }
    return found
  }

  private static func verdict(_ one: Health.Dialback) -> Finding {
    let who = "…" + one.peer.suffix(8)
    if one.verdict == "reached" {
      return .ok("\(who) dialled back and reached it at \(one.detail): it can be reached \(origin(one.from))")
    }
    let fix =
      switch one.from {
      case "global":
        "let the router forward the TCP port it listens at to this machine, and the firewall pass it; use a fixed port with --listen. "
          + "Until then it only reaches others, and two such peers cannot reach each other"
      case "site", "link":
        "let this machine's firewall pass the TCP port it listens at, and listen at /ip4/0.0.0.0 or this network's address"
      default: "let it listen at the address it is seen at: --listen /ip4/0.0.0.0/tcp/4101"
      }
    return .problem(
      "\(who) sees it at \(one.detail), and nobody answers there: it cannot be reached \(origin(one.from))", fix: fix)
  }

  private static func excuses(_ health: Health) -> String {
    health.dialbacks.map {
      $0.verdict == "refused" ? "…\($0.peer.suffix(8)) was asked too often" : "…\($0.peer.suffix(8)): \($0.detail)"
    }
    .joined(separator: "; ")
  }

  private static func origin(_ reach: String) -> String {
    switch reach {
    case "global", "named": "from the internet"
    case "site": "from the local network"
    case "link": "from the same link"
    default: "from this machine"
    }
  }

  static func words(_ reach: String) -> String {
    switch reach {
    case "loopback": "this machine only"
    case "link": "this link only"
    case "site": "private network"
    case "global": "public"
    case "named": "a host name"
    default: "not reachable"
    }
  }

  /// Whether its clock is right.
  static func clock(_ health: Health) -> [Finding] {
    // Earlier than this program was written.
    guard health.clock > 1_760_000_000 else {
      return [
        .problem("the clock of this machine is years behind", fix: "set it, or let NTP do so: the session's time follows from it")
      ]
    }
    let errors = health.dialbacks.compactMap(\.clockAhead).sorted { abs($0) < abs($1) }
    guard !errors.isEmpty else { return [] }
    let middle = errors[errors.count / 2]
    let size = abs(middle)
    guard size >= clockError.warning else {
      return [.ok("its clock agrees with those of \(errors.count) \(errors.count == 1 ? "peer" : "peers")")]
    }
    let what = "its clock is \(Amount.time(size)) \(middle > 0 ? "behind" : "ahead of") those of other peers"
    return [
      Finding(
        size >= clockError.problem ? .problem : .warning, what,
        fix: "let NTP set the clocks: the session's cycles and end follow from them")
    ]
  }

  /// Whether it may open as many files as it has to.
  static func files(_ health: Health) -> Finding {
    let needed = health.mostConnections + 128
    let fix = "raise the limit before the start: `ulimit -n 4096`, or LimitNOFILE= of its service"
    if let open = health.open, health.openLimit - open < 64 {
      return .problem("\(open) of at most \(health.openLimit) files and sockets are open", fix: fix)
    }
    guard health.openLimit >= needed else {
      return .warning("it may open \(health.openLimit) files and sockets, and wants up to \(needed)", fix: fix)
    }
    return .ok("it may open \(health.openLimit) files and sockets\(health.open.map { ", and has \($0) open" } ?? "")")
  }

  /// Whether there is room.
  static func disk(_ health: Health) -> [Finding] {
    guard let store = health.store else {
      return [
        .warning(
          "it has no store: objects are in memory, and identity and progress end with it",
          fix: "start it with --store DIR to keep them")
      ]
    }
    guard let free = health.free else {
      return [.problem("the disk of \(store) does not answer", fix: "check that the folder is there")]
    }
    let stored = Amount.bytes(UInt64(max(health.stored, 0)))
    return [room(free, "store \(store) has \(stored) of blocks", store)]
  }

  /// Whether so much room is enough.
  static func room(_ free: UInt64, _ what: String, _ path: String) -> Finding {
    let words = "\(what), and its disk has \(Amount.bytes(free)) left"
    if free < leastRoom.problem { return .problem(words, fix: "make room on the disk, or move the store to another one") }
    if free < leastRoom.warning { return .warning(words, fix: "make room on the disk soon") }
    return .ok(words)
  }
}
