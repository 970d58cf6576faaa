import Logging
import MurmurCollective
public import MurmurFeeds
import MurmurIdentity
public import MurmurLedger
import MurmurMachines
public import MurmurPeer
import MurmurPubSub
public import MurmurStorage
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
  var desk: FeedDesk?
  var timers: [Station.Timer: Scheduled<Void>] = [:]
  /// Changes of the ledger, and rows with the places of their streams, that are not on the disk yet.
  var changes: [Store.LedgerChange] = []
  var states: [SavedState] = []
  var isSaving = false
  /// How many batches went to the disk, and what waits until one is there: an own transaction that others have and this peer forgets would
  /// make it issue two under one number.
  var batches = 0
  var delayed: [(batch: Int, effect: Station.Effect)] = []

  /// Rows that are kept for the next life; of more the oldest go, see ``StoreOptions/entriesPerArea``.
  static let (rowsArea, statesArea) = ("feed/rows", "feed/streams")

  init(_ station: Station, session: String, chance: Chance, told: @escaping @Sendable (FeedNews) -> Work.Rows?) {
    self.station = station
    self.session = session
    self.chance = chance
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
    turn { [self] in
      var keeps = false
      for effect in house.step(input, at: sessionNow) {
        switch effect {
        case .keep: keeps = store != nil
        case .send, .publish, .answer:
          if keeps {
            house.delayed.append((house.batches + 1, effect))
            continue
          }
        default: break
        }
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
    // The ledger speaks of the wall's time, whenever the session began.
    step(station: .clockSet(epoch: Int64(Wall.milliseconds) - sessionNow.nanoseconds / 1_000_000))
    step(station: .started)
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
    case .keep(let id, let bytes): if store != nil { house.changes.append(.keep(id, bytes)) }
    case .prune(let ids, let snapshot):
      if store != nil { house.changes.append(.prune(ids, snapshot: snapshot.encode())) }
    case .rows(let rows):
      if store != nil { house.states.append(SavedState(area: FeedHouse.rowsArea, key: rows.key, value: rows.encoded)) }
      if let all = house.told(.rows(rows)) { step(.asked(.learn(all))) }
    case .advanced(let state):
      if store != nil {
        house.states.append(SavedState(area: FeedHouse.statesArea, key: state.channel.bytes, value: state.encoded))
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
  private func save(_ house: FeedHouse) {
    guard let store, !house.isSaving, !house.changes.isEmpty || !house.states.isEmpty else { return }
    let (changes, states, session, log) = (house.changes, house.states, house.session, log)
    (house.changes, house.states, house.isSaving) = ([], [], true)
    house.batches += 1
    let batch = house.batches
    let (home, bound) = (home, NIOLoopBound(self, eventLoop: home))
    onDisk { _ in
      do throws(StoreError) {
        if !changes.isEmpty { try store.change(ledger: session, changes) }
        if !states.isEmpty { try store.save(states) }
      } catch { log.error("\(error)") }
      home.execute {
        guard let house = bound.value.house else { return }
        house.isSaving = false
        let due = house.delayed.prefix { $0.batch <= batch }
        house.delayed.removeFirst(due.count)
        if !bound.value.isClosing { for (_, effect) in due { bound.value.perform(effect, of: house) } }
        bound.value.save(house)
      }
    }
  }

  func closeHouse() {
    guard let house else { return }
    for timer in house.timers.values { timer.cancel() }  // house:allow(order) every one is cancelled
    house.timers = [:]
    save(house)
  }
}

/// What an earlier life of a station kept.
public struct FeedInheritance: Sendable {
  /// The ledger's transactions.
  public var transactions: [Transaction] = []
  /// Its last snapshot.
  public var snapshot: LedgerSnapshot?
  /// Where each stream is read on.
  public var states: [FeedState] = []
  /// The rows that were read.
  public var rows: [FeedRows] = []

  /// What a store has for a session; what cannot be read is left out, and its stream is read anew.
  public init(_ store: Store, session: String) throws(StoreError) {
    let kept = try store.rows(ofLedger: session)
    for bytes in kept.transactions {
      if let transaction = try? Transaction(reading: bytes) { transactions.append(transaction) }
    }
    snapshot = kept.snapshot.flatMap { try? LedgerSnapshot.decode($0) }
    for state in try store.states(FeedHouse.statesArea) {
      if let state = try? FeedState(encoded: state.value) { states.append(state) }
    }
    for saved in try store.states(FeedHouse.rowsArea) {
      if let message = try? FeedRows(encoded: saved.value) { rows.append(message) }
    }
  }
}
