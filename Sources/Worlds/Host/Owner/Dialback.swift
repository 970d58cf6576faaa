public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// Dialling back: one peer asks another whether it can be reached where it is seen (`/murmur/dialback/1`).
///
/// The rule is that of libp2p's AutoNAT (libp2p/specs autonat): whoever is asked dials only the internet address that it sees the asker
/// at, so that nobody can be made to flood a third party; the asker names no more than ports. A connection counts when the asker proves
/// there who it is. Requests are few in a minute, of one peer and of all.
public enum Dialback {
  /// The protocol.
  public static let protocolID = "/murmur/dialback/1"
  /// The most bytes of a message; a longer one is a strike.
  public static let mostBytes = 2_048
  /// The most addresses read of a request; one with more is refused whole.
  public static let mostAddresses = 16

  /// What came of a request.
  public struct Answer: Hashable, Sendable {
    /// Whether the asker can be reached.
    public enum Verdict: Hashable, Sendable {
      /// It answered at this address.
      case reached(Multiaddr)
      /// Nobody, or somebody else, answered.
      case unreached
      /// It was not tried.
      case refused
    }

    /// Whether the asker can be reached.
    public var verdict: Verdict
    /// Where the asker is seen.
    public var observed: Multiaddr?
    /// The answerer's clock, in milliseconds since 1970.
    public var clock: Int64

    /// An answer.
    public init(_ verdict: Verdict, observed: Multiaddr?, clock: Int64) {
      self.verdict = verdict
      self.observed = observed
      self.clock = clock
    }

    /// The answer as it is sent.
    public func encode() -> [UInt8] {
      var message = Murmur_Dialback_Answer()
      switch verdict {
      case .reached(let address):
        message.verdict = .reached
        message.address = .init(wire: address.bytes)
      case .unreached: message.verdict = .unreached
      case .refused: message.verdict = .refused
      }
      if let observed { message.observed = .init(wire: observed.bytes) }
      message.clock = UInt64(max(clock, 0))
      return message.wire
    }

    /// The answer that `bytes` are.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> Answer {
      try Dialback.bound(bytes, what: "dial-back answer")
      let message = try Murmur_Dialback_Answer(wire: bytes, what: "dial-back answer", depth: 2)
      let observed = message.observed.isEmpty ? nil : try Multiaddr(bytes: message.observed.array)
      let clock = Int64(min(message.clock, 1 << 52))
      switch message.verdict {
      case .reached: return Answer(.reached(try Multiaddr(bytes: message.address.array)), observed: observed, clock: clock)
      case .unreached: return Answer(.unreached, observed: observed, clock: clock)
      case .refused: return Answer(.refused, observed: observed, clock: clock)
      case .unknown, .UNRECOGNIZED: throw WireError("dial-back answer", "has no verdict that is known here")
      }
    }
  }

  /// A request with the addresses that the asker listens at.
  public static func request(_ addresses: [Multiaddr]) -> [UInt8] {
    var message = Murmur_Dialback_Request()
    message.addresses = addresses.prefix(mostAddresses).map { .init(wire: $0.bytes) }
    return message.wire
  }

  /// The addresses of a request.
  public static func addresses(decoding bytes: [UInt8]) throws(WireError) -> [Multiaddr] {
    try bound(bytes, what: "dial-back request")
    let message = try Murmur_Dialback_Request(wire: bytes, what: "dial-back request", depth: 2)
    var addresses: [Multiaddr] = []
    // Addresses of protocols that are not known here are left out.
    for address in message.addresses { do { addresses.append(try Multiaddr(bytes: address.array)) } catch { continue } }
    return addresses
  }

  private static func bound(_ bytes: [UInt8], what: String) throws(WireError) {
    guard bytes.count <= mostBytes else { throw WireError(what, "has \(bytes.count) bytes; at most \(mostBytes) are read") }
    try ProtobufScan.bound(bytes[...], what: what, fields: mostAddresses + 8, counting: [(1, mostAddresses)])
  }

  /// Whom to dial back, and how often.
  public struct Rule: Hashable, Sendable {
    /// Requests of one peer that are served in a minute.
    public var perPeer = 3
    /// Requests of all peers that are served in a minute.
    public var perMinute = 30
    /// Requests served at a time.
    public var atOnce = 4
    /// Ports tried for one request.
    public var ports = 4

    /// The default rule.
    public init() {}

    /// What was served lately.
    public struct State: Hashable, Sendable {
      var served: [Served] = []
      var active = 0

      /// Nothing was.
      public init() {}

      /// So many requests were answered.
      public mutating func finished(_ count: Int = 1) { active -= count }

      struct Served: Hashable, Sendable {
        let peer: PeerID
        let at: Instant
      }
    }

    /// Where to dial a peer that is seen at `seen` and says that it listens at `addresses`: the internet address of the first, the ports
    /// of the second; nowhere if it is not seen at one.
    public func targets(_ addresses: [Multiaddr], seen: Multiaddr) -> [Multiaddr] {
      guard let host = seen.parts.first, seen.parts.count >= 2, !seen.parts.contains(.p2pCircuit) else { return [] }
      switch host {
      case .ip4, .ip6: break
      default: return []
      }
      var targets: [Multiaddr] = []
      for address in addresses {
        guard let first = address.parts.first, first.code == host.code, address.parts.count >= 2,
          case .tcp(let port) = address.parts[1], port > 0
        else { continue }
        let target = Multiaddr([host, .tcp(port)])
        if !targets.contains(target) { targets.append(target) }
      }
      return Array(targets.prefix(ports))
    }

    /// Whether a request may be served now; if so, it counts, and ``State/finished(_:)`` is to be said when it was answered.
    public func admits(_ peer: PeerID, at now: Instant, _ state: inout State) -> Bool {
      state.served.removeAll { now - $0.at >= .minutes(1) }
      guard state.active < atOnce, state.served.count < perMinute, state.served.count(where: { $0.peer == peer }) < perPeer else {
        return false
      }
      state.served.append(State.Served(peer: peer, at: now))
      state.active += 1
      return true
    }
  }
}
