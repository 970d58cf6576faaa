public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// Finding peers on one local network without knowing anybody: libp2p/specs discovery/mdns, over RFC 6762.
///
/// There is one machine for each interface and address family. It asks for `_p2p._udp.local` at its start and at growing intervals,
/// answers such questions, and tells of every peer that is new, at addresses elsewhere, or was not told of for a while.
///
/// Where it is more careful than the specification: what anybody on the link may send is bounded in number and rate; only addresses
/// of the site are believed, and global ones only of the sender itself, or a packet could make all peers of a network dial a stranger;
/// peers that are known already are said so in a question, and then are silent. Where it does less: it always answers to the group
/// (`QU` bits and askers at other ports are not treated apart), and does not probe, as names are random.
public struct MulticastDNS: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The link can be used.
    case started
    /// A packet came to the group, from a host with this address (four or sixteen bytes).
    case received([UInt8], from: [UInt8])
    /// This peer can be reached at these addresses from now on.
    case changed([Multiaddr])
    /// A timer fired.
    case timerFired(Timer)
    /// The peer is about to leave; nothing follows.
    case stopped
  }

  /// What is to be done.
  public enum Effect: Hashable, Sendable {
    /// Send a packet to the group.
    case send([UInt8])
    /// A peer is there, at these addresses.
    case found(PeerID, [Multiaddr])
    /// Let ``Input/timerFired(_:)`` happen at that time; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
  }

  /// The timers.
  public enum Timer: Hashable, Sendable, CaseIterable {
    /// The next question is due.
    case question
    /// The answer that was put off is due.
    case answer
  }

  /// What the link is.
  public enum Scope: Hashable, Sendable {
    /// The loopback interface: peers of this machine alone.
    case loopback
    /// A network.
    case network
  }

  /// How often, how long, how much, and what happens beyond.
  public struct Configuration: Hashable, Sendable {
    /// The least and the longest time before the first question and before an answer; drawn, so that not all speak at once.
    public var shortestDelay = Instant.Span.milliseconds(20)
    /// See ``shortestDelay``.
    public var longestDelay = Instant.Span.milliseconds(120)
    /// Between the first and the second question; doubles up to ``longestInterval``.
    public var firstInterval = Instant.Span.seconds(1)
    /// See ``firstInterval``.
    public var longestInterval = Instant.Span.minutes(5)
    /// Between two answers; questions in between are answered together.
    public var answerInterval = Instant.Span.seconds(1)
    /// How long others may remember us.
    public var timeToLive: UInt32 = 900
    /// How long they may remember our host's addresses.
    public var hostTimeToLive: UInt32 = 120
    /// Peers remembered; beyond, the one heard of longest ago goes.
    public var peers = 256
    /// Addresses of a peer; further ones are not believed.
    public var addressesPerPeer = 8
    /// The longest that a peer is remembered, whatever it says itself.
    public var longestMemory = Instant.Span.minutes(75)
    /// A peer that is heard of again is told of again after that time.
    public var repetition = Instant.Span.minutes(1)
    /// Packets read in a second, and at once after a silence; further ones are not read.
    public var packetsPerSecond = 64
    /// Peers that were not known, in a minute; further ones are not believed.
    public var newPeersPerMinute = 64
    /// Peers named in a question as known.
    public var knownAnswers = 16
    /// Bytes of an answer; addresses that no longer fit are left out.
    public var answerBytes = 1_400

    /// The default configuration.
    public init() {}
  }

  /// What all peers of libp2p answer to.
  public static let service = DomainName(unchecked: ["_p2p", "_udp", "local"].map { Array($0.utf8) })
  /// What asks for all services of a network (RFC 6763 §9).
  public static let services = DomainName(unchecked: ["_services", "_dns-sd", "_udp", "local"].map { Array($0.utf8) })
  private static let hosts = DomainName(unchecked: ["p2p", "local"].map { Array($0.utf8) })
  /// What begins a string that holds an address.
  static let key = Array("dnsaddr=".utf8)

  /// A peer that was heard of.
  struct Acquaintance: Sendable {
    var instance: DomainName
    var addresses: [Multiaddr]
    var heard: Instant
    var expires: Instant
    var lifetime: Instant.Span
    var told: Instant
  }

  /// What is to be answered.
  struct Due: OptionSet, Sendable {
    let rawValue: UInt8
    static let peer = Due(rawValue: 1)
    static let services = Due(rawValue: 2)
    static let details = Due(rawValue: 4)
  }

  let configuration: Configuration
  let scope: Scope
  let id: PeerID
  /// The name of this peer's records, and that of its host.
  let instance: DomainName
  let host: DomainName
  var addresses: [Multiaddr] = []
  var acquaintances: [PeerID: Acquaintance] = [:]
  var due: Due = []
  private var isRunning = false
  private var interval: Instant.Span
  private var answerAt: Instant?
  private var answered = Instant(nanoseconds: .min / 2)
  /// Packets that may be read now, and since when that is so.
  private var allowance: Double
  private var allowedSince = Instant.origin
  var newcomers = 0
  var newcomersSince = Instant.origin

  /// A machine for one link. `name` is what its records are called; draw it with ``drawName(_:)``.
  public init(id: PeerID, name: String, addresses: [Multiaddr], scope: Scope, configuration: Configuration = Configuration()) {
    precondition((1...DomainName.mostLabelBytes).contains(name.utf8.count), "a name is a label")
    self.configuration = configuration
    self.scope = scope
    self.id = id
    instance = MulticastDNS.service.child(name)
    host = MulticastDNS.hosts.child(name)
    interval = configuration.firstInterval
    allowance = Double(configuration.packetsPerSecond)
    self.addresses = announced(addresses)
  }

  /// A name for a peer's records: 32 letters and digits that say nothing about it.
  public static func drawName(_ chance: inout Chance) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
    return String(decoding: (0..<32).map { _ in alphabet[chance.below(alphabet.count)] }, as: UTF8.self)
  }

  /// How many peers are remembered.
  public var known: Int { acquaintances.count }

  /// Takes one input and appends what is to be done, in order.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started:
      guard !isRunning else { return }
      isRunning = true
      allowedSince = now
      effects.append(.arm(.question, at: now + delay(&chance)))
    case .received(let bytes, let source):
      guard isRunning, allows(at: now), let message = try? DNSMessage.decode(bytes), message.operation == 0 else { return }
      if message.isResponse {
        hear(message, from: source, at: now, &effects)
      } else {
        let wanted = wanted(by: message)
        if !wanted.isEmpty { putOff(wanted, at: now, &chance, &effects) }
      }
    case .changed(let addresses):
      let usable = announced(addresses)
      guard usable != self.addresses else { return }
      self.addresses = usable
      guard isRunning else { return }
      interval = configuration.firstInterval
      effects.append(.arm(.question, at: now + delay(&chance)))
    case .timerFired(.question):
      guard isRunning else { return }
      forgetExpired(at: now)
      effects.append(.send(question(at: now)))
      // Whoever only listens shall hear of this peer too.
      if !addresses.isEmpty { putOff(.peer, at: now, &chance, &effects) }
      effects.append(.arm(.question, at: now + interval * (0.9 + 0.2 * chance.uniform())))
      interval = min(interval * 2, configuration.longestInterval)
    case .timerFired(.answer):
      guard isRunning, let answerAt, answerAt <= now else { return }
      self.answerAt = nil
      answered = now
      let due = due
      self.due = []
      if !addresses.isEmpty { effects.append(.send(answer(due).encode())) }
    case .stopped:
      guard isRunning else { return }
      isRunning = false
      if !addresses.isEmpty { effects.append(.send(farewell.encode())) }
    }
  }

  private func delay(_ chance: inout Chance) -> Instant.Span {
    configuration.shortestDelay + (configuration.longestDelay - configuration.shortestDelay) * chance.uniform()
  }

  private mutating func putOff(_ wanted: Due, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    due.formUnion(wanted)
    guard answerAt == nil else { return }
    let at = max(now + delay(&chance), answered + configuration.answerInterval)
    answerAt = at
    effects.append(.arm(.answer, at: at))
  }

  private mutating func allows(at now: Instant) -> Bool {
    let most = Double(configuration.packetsPerSecond)
    allowance = min(allowance + (now - allowedSince).seconds * most, most)
    allowedSince = now
    guard allowance >= 1 else { return false }
    allowance -= 1
    return true
  }
}
