import Foundation
import MurmurControl
import MurmurHost
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurScenario
import MurmurStorage
import MurmurWire

/// The facts a doctor asks for.
extension ControlDesk {
  /// How many connected peers are asked to dial back.
  private static let witnesses = 3

  func health() async throws -> ControlAnswer.Health {
    var health = ControlAnswer.Health()
    let seen = try await node.snapshot()
    let acquaintances = try await node.acquaintances()
    health.peer = "\(node.id)"
    health.process = Int(getpid())
    health.listening = seen.listening.map { .init(address: "\($0)", reach: $0.reach.name) }
    health.believed = seen.observed.map { .init(address: "\($0)", reach: $0.reach.name) }
    health.sightings = try await node.sightings().map {
      .init(peer: "\($0.peer)", address: "\($0.address)", reach: $0.address.reach.name)
    }
    health.outbound = acquaintances.count(where: \.isOutbound)
    health.inbound = acquaintances.count - health.outbound
    health.mostConnections = node.configuration.transport.connections
    health.known = seen.tables
    (health.openLimit, health.open) = (OpenFiles.limit, OpenFiles.count)
    health.store = store?.path
    health.free = store.flatMap { DiskSpace.free($0.path) }
    health.stored = seen.bytes
    health.session = scenario.name
    health.hasEnded = seen.hasEnded
    health.dialbacks = await dialbacks(acquaintances)
    health.clock = Date().timeIntervalSince1970
    return health
  }

  /// Asks those first whose answer says most: peers far away, then of the site, then of this machine.
  private func dialbacks(_ acquaintances: [Node.Acquaintance]) async -> [ControlAnswer.Health.Dialback] {
    let able = acquaintances.filter { $0.protocols.contains(Dialback.protocolID) }
    let chosen = able.sorted { $0.address.reach.distance > $1.address.reach.distance }.prefix(ControlDesk.witnesses)
    let node = node
    return await withTaskGroup(of: (Int, ControlAnswer.Health.Dialback).self) { group in
      for (index, witness) in chosen.enumerated() { group.addTask { (index, await ControlDesk.dialback(node, witness)) } }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static func dialback(_ node: Node, _ witness: Node.Acquaintance) async -> ControlAnswer.Health.Dialback {
    let begun = Date().timeIntervalSince1970
    func outcome(_ verdict: String, _ detail: String, from: Multiaddr?, ahead: Double? = nil) -> ControlAnswer.Health.Dialback {
      .init(
        peer: "\(witness.peer)", from: (from ?? witness.address).reach.name, verdict: verdict, detail: detail, clockAhead: ahead)
    }
    do {
      let answer = try await node.askDialback(witness.peer)
      let now = Date().timeIntervalSince1970
      let clock = Double(answer.clock) / 1_000
      // What the answer's way takes is not the clock's error; the answer was written between asking and now.
      let ahead = clock < begun ? clock - begun : clock > now ? clock - now : 0
      switch answer.verdict {
      case .reached(let address): return outcome("reached", "\(address)", from: answer.observed, ahead: ahead)
      case .unreached: return outcome("unreached", answer.observed.map { "\($0)" } ?? "", from: answer.observed, ahead: ahead)
      case .refused: return outcome("refused", "", from: answer.observed, ahead: ahead)
      }
    } catch { return outcome("failed", "\(error)", from: nil) }
  }
}

extension Multiaddr.Reach {
  /// The reach in a word of its own, for programs.
  var name: String {
    switch self {
    case .loopback: "loopback"
    case .link: "link"
    case .site: "site"
    case .global: "global"
    case .named: "named"
    case .none: "none"
    }
  }

  /// How far away who is seen there may be.
  fileprivate var distance: Int {
    switch self {
    case .global, .named: 3
    case .site: 2
    case .link: 1
    case .loopback, .none: 0
    }
  }
}

/// Files that this process may have open.
enum OpenFiles {
  static var limit: Int {
    var limit = rlimit()
    #if os(Linux)
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    #else
    guard unsafe getrlimit(RLIMIT_NOFILE, &limit) == 0 else { return 0 }
    #endif
    return Int(clamping: limit.rlim_cur)
  }

  /// How many are open, where the system tells.
  static var count: Int? {
    for folder in ["/proc/self/fd", "/dev/fd"] {
      if let names = try? FileManager.default.contentsOfDirectory(atPath: folder) { return names.count }
    }
    return nil
  }
}

/// Room on a disk.
enum DiskSpace {
  /// Bytes that are free for this user where `path` is.
  static func free(_ path: String) -> UInt64? {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}
