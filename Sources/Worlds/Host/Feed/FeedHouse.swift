import Logging
import MurmurCollective
public import MurmurFeeds
import MurmurIdentity
import MurmurLedger
import MurmurMachines
public import MurmurPeer
import MurmurPubSub
import MurmurStorage
import MurmurStreams
import MurmurWire
import NIOCore
import NIOPosix

/// What a node's station tells the node's owner, on the node's loop. Rows come once each; with a store, what is kept of their stream is safe with
/// them.
public enum FeedNews: Sendable {
  /// Rows of a sensor.
  case rows(FeedRows)
  /// Something to be known.
  case report(StationReport)
}

/// A station on a node: its timers, its feeders' streams, and what it keeps on the disk.
final class FeedHouse {
  var station: Station
  var chance: Chance
  let session: String
  let topic: Topic
  let told: @Sendable (FeedNews) -> Work.Rows?
  /// What the station will be told once it has what an earlier life kept of its ledger; `nil` when it has.
  var early: [Station.Input]?
  var desk: FeedDesk?
  var timers: [Station.Timer: Scheduled<Void>] = [:]
  var keeping = FeedKeeping()
  var retry: Scheduled<Void>?
  /// What the station was told last of the wall's time.
  var epoch: Int64?

  /// Where rows are kept for the next life, see ``StoreOptions/entriesPerArea``: each session has an area of its own, as one store may serve several.
  static let rowsArea = "feed/rows/"

  /// Inputs that wait for the ledger to be read; of more, what others say again is not heard.
  static let mostEarly = 4_096
  /// A step of the wall's time of fewer milliseconds is none.
  static let smallStep: Int64 = 250

  static func rowsArea(_ session: String) -> String { rowsArea + session }

  static func statesArea(_ session: String) -> String { "feed/streams/" + session }

  init(
    _ station: Station, session: String, chance: Chance, goesOn: Bool,
    told: @escaping @Sendable (FeedNews) -> Work.Rows?
  ) {
    self.station = station
    self.session = session
    self.chance = chance
    early = goesOn ? [] : nil
    self.told = told
    topic = Station.topic(of: session)
  }

  func step(_ input: Station.Input, at now: Instant) -> [Station.Effect] {
    var effects = Effects<Station.Effect>()
    station.step(input, at: now, chance: &chance, effects: &effects)
    return effects.list
  }
}

extension FeedRows {
  /// Under which key rows are kept: by stream and message, so that none is kept twice.
  var key: [UInt8] { channel.bytes + withUnsafeBytesOfNumber(message) }
}

private func withUnsafeBytesOfNumber(_ number: UInt64) -> [UInt8] {
  stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
}

/// The station, carried out.
extension NodeCore {
  func step(station input: Station.Input) {
    guard let house else { return }
    guard house.early == nil else {
      if house.early?.count ?? 0 < FeedHouse.mostEarly { house.early?.append(input) }
      return
    }
    turn { [self] in
      for effect in house.step(input, at: sessionNow) where store == nil || !house.keeping.delays(effect) {
        perform(effect, of: house)
      }
      save(house)
    }
  }

  /// The station begins, with what an earlier life kept.
  func openHouse() {
    guard let house else { return }
    let desk = FeedDesk { [self] event in
      switch event {
      case .connected(let feeder): step(station: .feeder(feeder, .connected(feeder)))
      case .disconnected(let feeder): step(station: .feeder(feeder, .disconnected(feeder)))
      case .received(let feeder, let message): step(station: .feeder(feeder, .received(from: feeder, message)))
      case .unreadable(let feeder, let why):
        note("feeder \(feeder): \(why)")
        step(station: .feeder(feeder, .unreadable(from: feeder)))
      }
    }
    house.desk = desk
    let topic = house.topic
    listeners[topic, default: []].append { [box = NIOLoopBound(self, eventLoop: home)] _, message in
      box.value.step(station: .gossiped(message.id(.origin), from: message.from, message.data))
    }
    step(.asked(.subscribe(topic)))
    guard house.early == nil else { return }
    setClock()
    step(station: .started)
  }

  /// Reads what an earlier life kept of the ledger, while the peer begins. Without it the station does not go on: it would issue numbers twice.
  func readLedger() {
    guard let house, house.early != nil, store != nil, !isClosing else { return }
    let (session, home, bound) = (house.session, home, NIOLoopBound(self, eventLoop: home))
    onDisk { store in
      do throws(StoreError) {
        let kept = try FeedInheritance.ledger(store, session: session)
        home.execute { bound.value.goOn(kept) }
      } catch {
        home.execute { bound.value.notRead(error) }
      }
    }
  }

  private func goOn(_ kept: FeedInheritance.Kept) {
    guard let house, let early = house.early, !isClosing else { return }
    house.early = nil
    for complaint in kept.complaints { log.warning("the ledger's store: \(complaint); what is missing is asked of others") }
    setClock()
    step(station: .restored(kept.transactions, kept.snapshot))
    step(station: .started)
    for input in early { step(station: input) }
  }

  private func notRead(_ error: StoreError) {
    log.error("the ledger cannot be read, so streams wait: \(error)")
    house?.retry = schedule(now + FeedKeeping.longestRest) { [self] in readLedger() }
  }

  /// The ledger speaks of the wall's time, whenever the session began. That may be set, and goes on while a machine sleeps, which its own clock
  /// does not: so it is looked at again and again.
  func setClock() {
    guard let house, house.early == nil else { return }
    let epoch = configuration.wall() - sessionNow.nanoseconds / 1_000_000
    if let told = house.epoch, abs(epoch - told) < FeedHouse.smallStep { return }
    house.epoch = epoch
    step(station: .clockSet(epoch: epoch))
  }

  func ledgerInbox() -> Inbox {
    Inbox(most: LedgerMessage.mostBytes, core: self) { core, bytes, stream in
      let message = try LedgerMessage.decode(bytes)
      core.step(station: .heard(from: stream.peer, message))
    }
  }

  private func perform(_ effect: Station.Effect, of house: FeedHouse) {
    switch effect {
    case .send(let peer, let message):
      ferry(message.wireSize, peer) { [self] in
        guard let link = link(to: peer), let outbox = neighbours[peer]?.ledger else { return }
        if !outbox.send(.bytes(message.encode()), size: message.wireSize, over: link) { meters.dropped(.full) }
      }
    case .publish(let bytes): step(.asked(.publish(house.topic, bytes)))
    case .judge(let id, let verdict): step(.asked(.judge(id, verdict)))
    case .work(let challenge):
      let (home, bound) = (home, NIOLoopBound(self, eventLoop: home))
      workers.submit { state in
        guard case .active = state, let nonce = challenge.solve() else { return }
        home.execute { bound.value.step(station: .worked(challenge, nonce: nonce)) }
      }
    case .answer(let feeder, let message): house.desk?.send(message, to: feeder)
    case .shutOut(let feeder, _, let why):
      log.warning("feeder \(feeder) is shut out: \(why)")
      house.desk?.close(feeder)
    case .keep(let id, let bytes): if store != nil { house.keeping.keep(.keep(id, bytes)) }
    case .prune(let ids, let snapshot):
      if store != nil { house.keeping.keep(.prune(ids, snapshot: snapshot.encode())) }
    case .rows(let rows):
      if store != nil {
        house.keeping.keep(SavedState(area: FeedHouse.rowsArea(house.session), key: rows.key, value: rows.encoded))
      }
      if let all = house.told(.rows(rows)) { step(.asked(.learn(all))) }
    case .advanced(let state):
      if store != nil {
        house.keeping.keep(SavedState(area: FeedHouse.statesArea(house.session), key: state.channel.bytes, value: state.encoded))
      }
    case .report(let report):
      log.info("\(report)")
      _ = house.told(.report(report))
    case .arm(let timer, let at):
      house.timers.removeValue(forKey: timer)?.cancel()
      guard at < .never, !isClosing else { return }
      house.timers[timer] = schedule(at + (.zero - configuration.sessionOffset)) { [self] in
        house.timers[timer] = nil
        step(station: .fired(timer))
      }
    }
  }

  /// Brings to the disk what has gathered while the last batch was written.
  private func save(_ house: FeedHouse, isRetry: Bool = false) {
    guard store != nil, let batch = house.keeping.next(isRetry: isRetry) else { return }
    let (session, home, bound) = (house.session, home, NIOLoopBound(self, eventLoop: home))
    onDisk { store in
      var failure: StoreError?
      do throws(StoreError) { try batch.save(store, session: session) } catch { failure = error }
      let result = failure
      home.execute { bound.value.saved(result) }
    }
  }

  /// A batch went to the disk, or did not.
  private func saved(_ failure: StoreError?) {
    guard let house else { return }
    if let failure {
      let rest = house.keeping.failed()
      log.error("\(failure); nothing is said of the ledger before it is kept, which is tried again in \(rest.seconds) s")
      guard !isClosing else { return }
      house.retry = schedule(now + rest) { [self] in save(house, isRetry: true) }
      return
    }
    for effect in house.keeping.saved() where !isClosing { perform(effect, of: house) }
    save(house)
  }

  func closeHouse() {
    guard let house else { return }
    for timer in house.timers.values { timer.cancel() }  // house:allow(order) every one is cancelled
    house.timers = [:]
    house.retry?.cancel()
    save(house, isRetry: true)
  }
}
