public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// Who is who: identify and identify/push as one machine for all connections of a peer (libp2p/specs identify).
///
/// Each new connection is asked who is at its end; what it says is believed as far as ``PeerDescription`` explains, and what it says about
/// us is a vote in ``ObservedAddresses``. When our own protocols or addresses change, all who understand pushes are told.
public struct Identify: Machine, Sendable {
  /// A connection, under the host's number for it.
  public struct ConnectionID: Hashable, Comparable, Sendable {
    /// The host's number.
    public let number: UInt64

    /// The connection with that number.
    public init(_ number: UInt64) { self.number = number }

    /// By number.
    public static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.number < right.number }
  }

  /// What happened.
  public enum Input: Sendable {
    /// A connection is there and its peer proved who it is. `remote` is the other end's address, `isOutbound` whether we dialled.
    case connected(ConnectionID, PeerID, remote: Multiaddr?, isOutbound: Bool)
    /// A connection is gone.
    case disconnected(ConnectionID)
    /// The stream of ``Effect/ask(_:)`` was answered with these messages, in order, and closed.
    case answered(ConnectionID, [IdentifyMessage])
    /// The stream of ``Effect/ask(_:)`` failed, or what came could not be read.
    case failed(ConnectionID, String)
    /// The peer opened an identify stream.
    case asked(ConnectionID, Request)
    /// The peer opened a push stream, sent these messages, in order, and closed.
    case pushed(ConnectionID, [IdentifyMessage])
    /// Our own protocols or addresses are these from now on.
    case changed(Own)
    /// A timer fired.
    case timerFired(Timer)
  }

  /// A stream that waits for our answer, under the host's number for it.
  public struct Request: Hashable, Sendable {
    /// The host's number.
    public let number: UInt64
    /// The stream with that number.
    public init(_ number: UInt64) { self.number = number }
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Open a stream of ``protocolID``, read messages to its end, and report ``Input/answered(_:_:)`` or ``Input/failed(_:_:)``.
    case ask(ConnectionID)
    /// Write these encoded messages, each behind its length, to the stream that waits, and close it.
    case answer(Request, [[UInt8]])
    /// Open a stream of ``pushProtocolID``, write these encoded messages, each behind its length, and close it.
    case push(ConnectionID, [[UInt8]])
    /// What is known about a peer changed.
    case learned(PeerDescription)
    /// Nobody says who is at the end of a connection; it may be used, but no protocol of it is known.
    case gaveUp(ConnectionID, PeerID, String)
    /// A peer said something about itself that is not true.
    case complain(PeerID, PeerDescription.Complaint)
    /// The addresses that others see us at, and that are believed, are these from now on.
    case observed([Multiaddr])
    /// Let ``Input/timerFired(_:)`` happen at that time; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
  }

  /// The timers.
  public enum Timer: Hashable, Sendable {
    /// An answer is late, or a vote grew old.
    case deadline
  }

  /// What we say about ourselves.
  public struct Own: Hashable, Sendable {
    /// The protocols we accept streams for.
    public var protocols: [String]
    /// Where we can be reached.
    public var addresses: [Multiaddr]
    /// The same, signed; `nil` if nothing is to be signed. A host seals a ``PeerRecord`` whenever addresses change.
    public var signedRecord: [UInt8]?
    /// Our public key, encoded.
    public var publicKey: [UInt8]
    /// Our software.
    public var agentVersion: String
    /// The family of protocols.
    public var protocolVersion: String

    /// What we say about ourselves.
    public init(
      protocols: [String], addresses: [Multiaddr], signedRecord: [UInt8]?, publicKey: [UInt8], agentVersion: String,
      protocolVersion: String = "ipfs/0.1.0"
    ) {
      self.protocols = protocols
      self.addresses = addresses
      self.signedRecord = signedRecord
      self.publicKey = publicKey
      self.agentVersion = agentVersion
      self.protocolVersion = protocolVersion
    }
  }

  /// How long, how much, and what happens beyond.
  public struct Configuration: Hashable, Sendable {
    /// How long an answer may take.
    public var timeout = Instant.Span.seconds(10)
    /// How often a connection that did not answer is asked again.
    public var retries = 1
    /// Connections; further ones are not asked and not pushed to.
    public var connections = 4_096
    /// Addresses kept of a peer; further ones are not believed.
    public var addressesPerPeer = 16
    /// Pushes of one connection that are read in a minute; further ones are not.
    public var pushesPerMinute = 8
    /// Whether dialled connections come from the port we listen on, so that the port others see is ours.
    public var reusesPort = false
    /// When observed addresses are believed.
    public var observation = ObservedAddresses.Rule()
    /// How much one message may hold.
    public var limits = IdentifyMessage.Limits()

    /// The default configuration.
    public init() {}
  }

  /// The protocol that asks.
  public static let protocolID = "/ipfs/id/1.0.0"
  /// The protocol that tells unasked.
  public static let pushProtocolID = "/ipfs/id/push/1.0.0"

  private struct Connection: Sendable {
    let id: ConnectionID
    let remote: Multiaddr?
    let isOutbound: Bool
    var description: PeerDescription
    /// When the answer is late; `nil` if none is awaited.
    var deadline: Instant?
    var tries = 0
    var isIdentified = false
    var pushes = 0
    var pushesSince = Instant.origin
    /// Where the peer says that it sees us.
    var observed: Multiaddr?
  }

  private let configuration: Configuration
  private var own: Own
  /// In order of the hosts' numbers.
  private var connections: [Connection] = []
  private var observations: ObservedAddresses
  private var announced: [Multiaddr] = []

  /// A machine without connections that says `own` about itself.
  public init(_ own: Own, configuration: Configuration = Configuration()) {
    self.own = own
    self.configuration = configuration
    observations = ObservedAddresses(configuration.observation)
  }

  /// What is known about the peer of a connection; `nil` before it said anything.
  public func description(of connection: ConnectionID) -> PeerDescription? {
    index(of: connection).flatMap { connections[$0].isIdentified ? connections[$0].description : nil }
  }

  /// What is known about a peer from the connection that said something last made; `nil` if none did.
  public func description(of peer: PeerID) -> PeerDescription? {
    connections.last { $0.description.peer == peer && $0.isIdentified }?.description
  }

  /// The addresses that others see us at, and that are believed.
  public var observedAddresses: [Multiaddr] { announced }

  /// Where a peer says that it sees us.
  public struct Sighting: Hashable, Sendable {
    /// Who says so.
    public let peer: PeerID
    /// Where it is itself.
    public let remote: Multiaddr?
    /// Where it sees us.
    public let address: Multiaddr
    /// Whether we dialled: then the port is one of the connection's own.
    public let isOutbound: Bool
  }

  /// Where peers say that they see us, each connection once; believed or not.
  public var sightings: [Sighting] {
    connections.compactMap { connection in
      connection.observed.map {
        Sighting(
          peer: connection.description.peer, remote: connection.remote, address: $0, isOutbound: connection.isOutbound)
      }
    }
  }

  /// How many connections are known.
  package var connectionCount: Int { connections.count }

  /// Takes one input and appends what is to be done, in order.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .connected(let id, let peer, let remote, let isOutbound):
      guard index(of: id) == nil, connections.count < configuration.connections else { return }
      let place = connections.firstIndex { $0.id > id } ?? connections.count
      let fresh = Connection(id: id, remote: remote, isOutbound: isOutbound, description: PeerDescription(peer))
      connections.insert(fresh, at: place)
      ask(place, at: now, &effects)
    case .disconnected(let id):
      if let place = index(of: id) { connections.remove(at: place) }
    case .answered(let id, let messages):
      guard let place = index(of: id), connections[place].deadline != nil else { return }
      connections[place].deadline = nil
      guard let message = IdentifyMessage.merged(messages, limits: configuration.limits) else {
        return retry(place, "the answer was empty", at: now, &effects)
      }
      take(message, place, isPartial: false, at: now, &effects)
    case .failed(let id, let reason):
      guard let place = index(of: id), connections[place].deadline != nil else { return }
      retry(place, reason, at: now, &effects)
    case .asked(let id, let request):
      let remote = index(of: id).flatMap { connections[$0].remote }
      effects.append(.answer(request, message(observed: remote).frames()))
    case .pushed(let id, let messages):
      guard let place = index(of: id), mayPush(place, at: now),
        let message = IdentifyMessage.merged(messages, limits: configuration.limits)
      else { return }
      take(message, place, isPartial: true, at: now, &effects)
    case .changed(let own):
      guard own != self.own else { return }
      self.own = own
      let frames = message(observed: nil).frames()
      for connection in connections where connection.isIdentified && connection.description.speaks(Identify.pushProtocolID) {
        effects.append(.push(connection.id, frames))
      }
    case .timerFired(.deadline):
      for id in connections.filter({ $0.deadline.map { $0 <= now } ?? false }).map(\.id) {
        if let place = index(of: id) { retry(place, "no answer in time", at: now, &effects) }
      }
      observations.expire(at: now)
      announce(at: now, &effects)
      schedule(&effects)
    }
  }

  private func index(of id: ConnectionID) -> Int? {
    var low = 0, high = connections.count
    while low < high {
      let middle = (low + high) / 2
      if connections[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < connections.count && connections[low].id == id ? low : nil
  }

  private func message(observed: Multiaddr?) -> IdentifyMessage {
    IdentifyMessage(
      publicKey: own.publicKey, listenAddresses: own.addresses, protocols: own.protocols, observedAddress: observed,
      protocolVersion: own.protocolVersion, agentVersion: own.agentVersion, signedRecord: own.signedRecord)
  }

  private mutating func ask(_ place: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    connections[place].tries += 1
    connections[place].deadline = now + configuration.timeout
    effects.append(.ask(connections[place].id))
    schedule(&effects)
  }

  private mutating func retry(_ place: Int, _ reason: String, at now: Instant, _ effects: inout Effects<Effect>) {
    connections[place].deadline = nil
    guard connections[place].tries > configuration.retries else { return ask(place, at: now, &effects) }
    effects.append(.gaveUp(connections[place].id, connections[place].description.peer, reason))
  }

  private mutating func mayPush(_ place: Int, at now: Instant) -> Bool {
    if now - connections[place].pushesSince >= .minutes(1) {
      connections[place].pushesSince = now
      connections[place].pushes = 0
    }
    connections[place].pushes += 1
    return connections[place].pushes <= configuration.pushesPerMinute
  }

  private mutating func take(
    _ message: IdentifyMessage, _ place: Int, isPartial: Bool, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    let before = connections[place].isIdentified ? connections[place].description : nil
    let complaint = connections[place].description.take(
      message, over: connections[place].remote, isPartial: isPartial, most: configuration.addressesPerPeer)
    connections[place].isIdentified = true
    let after = connections[place].description
    if let complaint { effects.append(.complain(after.peer, complaint)) }
    if after != before { effects.append(.learned(after)) }
    if let seen = message.observedAddress { connections[place].observed = seen }
    guard let seen = message.observedAddress, let remote = connections[place].remote else { return }
    for address in candidates(seen, isOutbound: connections[place].isOutbound) {
      observations.vote(for: address, by: remote, at: now)
    }
    announce(at: now, &effects)
    schedule(&effects)
  }

  /// What an observation says about where we can be reached.
  ///
  /// A peer that dialled us sees the address it dialled. A connection of our own has a port of its own, unless it comes from the port we
  /// listen on: then what may be right is the host it sees with the ports we listen on.
  private func candidates(_ seen: Multiaddr, isOutbound: Bool) -> [Multiaddr] {
    guard isOutbound, !configuration.reusesPort else { return [seen] }
    guard let host = seen.parts.first else { return [] }
    var found: [Multiaddr] = []
    for listening in own.addresses {
      guard let first = listening.parts.first, first.code == host.code, listening.parts.count > 1 else { continue }
      let candidate = Multiaddr([host] + listening.withoutPeer.parts.dropFirst())
      if !found.contains(candidate) { found.append(candidate) }
    }
    return Array(found.prefix(4))
  }

  private mutating func announce(at now: Instant, _ effects: inout Effects<Effect>) {
    let believed = observations.believed(at: now)
    guard believed != announced else { return }
    announced = believed
    effects.append(.observed(believed))
  }

  private func schedule(_ effects: inout Effects<Effect>) {
    let late = connections.compactMap(\.deadline).min()
    guard let next = [late, observations.nextExpiry].compactMap({ $0 }).min() else { return }
    effects.append(.arm(.deadline, at: next))
  }
}
