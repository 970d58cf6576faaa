public import MurmurChannels
import MurmurFeeds
public import MurmurIdentity
public import MurmurMachines
public import MurmurWire
public import NIOCore

/// A gateway without a ledger, to try a feeder with: what feeders publish it hands to whoever made it, and confirms after a while.
///
/// It remembers what it was given while it lives. Methods may be called from anywhere.
public final class LoneGateway: TransportDelegate, Sendable {
  /// Who it is.
  public let id: PeerID
  private let home: any EventLoop
  private let place: NIOLoopBoundBox<LonePlace>

  /// Starts one that listens; `took` is told of every message, once, on its loop.
  public static func start(
    session: String, keys: KeyPair, listen: Multiaddr, confirmation: Instant.Span = .zero, group: any EventLoopGroup,
    transport configuration: TransportConfiguration = TransportConfiguration(),
    took: @escaping @Sendable (_ tag: [UInt8], _ content: [UInt8]) -> Void
  ) async throws -> (gateway: LoneGateway, address: Multiaddr) {
    let home = group.next()
    let gateway = try await home.submit {
      let place = LonePlace(session, confirmation, home, configuration.clock, took)
      let gateway = LoneGateway(keys.peerID, home, NIOLoopBoundBox(place, eventLoop: home))
      place.transport = Transport(
        identity: keys, group: home, configuration: configuration, serving: [FeedMessage.protocolID], delegate: gateway)
      place.watch = place.transport?.watchSilence(every: .seconds(1))
      return gateway
    }.get()
    let transport = try await home.submit { gateway.place.value.transport }.get()
    let bound = try await transport?.listen(listen).get() ?? listen
    return (gateway, try Multiaddr(parsing: "\(bound)/p2p/\(keys.peerID)"))
  }

  private init(_ id: PeerID, _ home: any EventLoop, _ place: NIOLoopBoundBox<LonePlace>) {
    self.id = id
    self.home = home
    self.place = place
  }

  /// Closes all connections.
  public func close() async throws {
    let transport = try await home.submit { [place] in place.value.stop() }.get()
    try await transport?.close().get()
  }

  /// Nothing: streams are what counts.
  public func connected(_ link: Link) {}
  /// Nothing: streams end with their link.
  public func disconnected(_ link: Link, _ why: ConnectionError) {}
  /// A feeder opened a stream.
  public func accept(_ stream: PeerStream) -> (any StreamHandler)? { place.value.desk?.accept(stream) }
}

/// A gateway's machine, with a set of names for a ledger.
private final class LonePlace {
  private let home: any EventLoop
  private let clock: HostClock
  private let confirmation: Instant.Span
  private let took: @Sendable ([UInt8], [UInt8]) -> Void
  private var gateway: Gateway
  private var chance = Chance(seed: 1)
  private var timer: Scheduled<Void>?
  private var inputs: [Gateway.Input] = []
  private var isTurning = false
  private var isStopped = false
  /// What it was given, and whether that is confirmed.
  private var ledger: [Digest: Bool] = [:]
  private(set) var desk: FeedDesk?
  var watch: RepeatedTask?
  var transport: Transport?

  init(
    _ session: String, _ confirmation: Instant.Span, _ home: any EventLoop, _ clock: HostClock,
    _ took: @escaping @Sendable ([UInt8], [UInt8]) -> Void
  ) {
    (self.home, self.clock, self.confirmation, self.took) = (home, clock, confirmation, took)
    gateway = Gateway(Gateway.Configuration(session: session))
    desk = FeedDesk { [unowned self] event in
      switch event {
      case .connected(let feeder): step(.connected(feeder))
      case .disconnected(let feeder): step(.disconnected(feeder))
      case .received(let feeder, let message): step(.received(from: feeder, message))
      case .unreadable(let feeder, _): step(.unreadable(from: feeder))
      }
    }
  }

  func stop() -> Transport? {
    isStopped = true
    watch?.cancel()
    timer?.cancel()
    return transport
  }

  private func step(_ input: Gateway.Input) {
    inputs.append(input)
    guard !isTurning else { return }
    isTurning = true
    var effects = Effects<Gateway.Effect>()
    while !inputs.isEmpty {
      let due = inputs
      inputs = []
      for input in due where !isStopped {
        gateway.step(input, at: clock.now, chance: &chance, effects: &effects)
        for effect in effects.take() { perform(effect) }
      }
    }
    isTurning = false
  }

  private func transaction(_ name: Digest) -> CID { CID(codec: .raw, hashing: name.bytes) }

  private func perform(_ effect: Gateway.Effect) {
    switch effect {
    case .send(let message, let feeder): desk?.send(message, to: feeder)
    case .issue(let key, let content): issue(key, content)
    case .lookUp(let keys, let feeder):
      let findings = keys.map { key in
        let known = ledger[key.name]
        return Gateway.Finding(key.name, transaction: known.map { _ in transaction(key.name) }, isConfirmed: known ?? false)
      }
      inputs.append(.found(findings, for: feeder))
    case .shutOut(let feeder, _, _): desk?.close(feeder)
    case .arm(let at):
      timer?.cancel()
      timer = home.scheduleTask(deadline: clock.deadline(at)) { [box = NIOLoopBound(self, eventLoop: home)] in
        box.value.step(.fired)
      }
    }
  }

  private func issue(_ key: FeedKey, _ content: [UInt8]) {
    if ledger.updateValue(false, forKey: key.name) == nil { took(key.tag, content) }
    inputs.append(.issued(key.name, as: transaction(key.name)))
    let box = NIOLoopBound(self, eventLoop: home)
    home.scheduleTask(in: .nanoseconds(confirmation.nanoseconds)) {
      box.value.ledger[key.name] = true
      box.value.step(.confirmed([box.value.transaction(key.name)]))
    }
  }
}
