import Dispatch
import Foundation
import MurmurCollective
import MurmurControl
import MurmurFeeds
import MurmurHost
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import MurmurStorage
import MurmurStreams
import MurmurWire
import Synchronization

/// What a real peer does with the streams of sensors: rows gather in a basket, and its session learns from them.
final class PeerFeeds: Sendable {
  private struct State {
    var basket: RowBasket
    var reports: [String] = []
    /// Streams with rows that could not be used, of which the owner was told.
    var useless: Set<Digest> = []
    /// Rows that came while those of earlier lives are read, which go before them.
    var arrivals: [FeedRows]?
    var recalling: _Concurrency.Task<Void, Never>?
    var isStopped = false
  }

  /// Words that are kept for whoever asks.
  static let mostReports = 20
  /// Why rows are of no use.
  static let whyRefused = "a column of the session's data set is missing in them, or their label is none of its classes"
  private let state: Mutex<State>
  private let teller: any PeerTeller
  private let store: Store?
  private let session: String
  /// What earlier lives kept.
  let inheritance: FeedInheritance?
  let station: Station

  /// What the peer of a session with sensors does with their streams; `nil` in other sessions.
  static func make(
    _ setup: Setup, _ plan: OwnPlan, peers: Int, keys: KeyPair, store: Store?, chance: Chance, _ teller: any PeerTeller
  ) throws -> PeerFeeds? {
    let sides = try plan.sideKeys.map { try FeedStore.sideKey($0) }
    guard let basket = setup.basket() else {
      guard sides.isEmpty, plan.pointers.isEmpty else {
        throw Failure("--key and --pointer are for sessions with sensors: write feeds: {sensors: 1} into the session file")
      }
      return nil
    }
    // What is shared in slices everybody can read.
    guard setup.session.privacy || sides.isEmpty && plan.pointers.isEmpty else {
      throw Failure(
        "--key and --pointer: this session shares the rows it learns from (privacy: false), so everybody could read what a restricted or "
          + "private stream says; write privacy: true into the session file, or leave these streams out")
    }
    // Without a store nothing is remembered of what was issued: every life issues under a name of its own.
    var generator = SystemRandomNumberGenerator()
    let fresh = KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
    return try PeerFeeds(
      setup, basket, peers: peers, keys: store == nil ? fresh : keys, sides: sides, store: store, chance: chance, teller)
  }

  private init(
    _ setup: Setup, _ basket: RowBasket, peers: Int, keys: KeyPair, sides: [SideKey], store: Store?, chance: Chance,
    _ teller: any PeerTeller
  ) throws {
    (self.teller, self.store, session) = (teller, store, setup.session.name)
    inheritance = try store.map { try FeedInheritance($0, session: setup.session.name) }
    station = Setup.station(
      setup.session, keys: keys, peers: peers, sides: sides, states: inheritance?.states ?? [], allowed: setup.allowedSensors,
      chance: chance.fork("station"))
    state = Mutex(State(basket: basket, arrivals: (inheritance?.lastRows ?? 0) > 0 ? [] : nil))
  }

  // MARK: Rows of earlier lives

  /// Reads the rows of earlier lives, which may take seconds, while the peer does everything else; `learn` is given what the session is to
  /// learn from with them.
  func recall(_ learn: @escaping @Sendable (Work.Rows) async throws -> Void) {
    guard let store, let inheritance, state.withLock({ $0.arrivals != nil }) else { return }
    let task = _Concurrency.Task { [self] in
      await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .utility).async { [self] in
          let most = state.withLock { $0.basket.window }
          do {
            try inheritance.recall(store, session: session, rows: most) { rows in
              state.withLock { state in
                state.basket.add(rows)
                return !state.isStopped
              }
            }
          } catch { teller.tell(.trouble("rows of earlier lives cannot be read: \(error)")) }
          continuation.resume()
        }
      }
      let rows = state.withLock { state in
        for rows in state.arrivals ?? [] { state.basket.add(rows) }
        state.arrivals = nil
        return state.isStopped ? nil : state.basket.take(all: true)
      }
      if let rows { try? await learn(rows) }
    }
    state.withLock { $0.recalling = task }
  }

  /// Returns when nothing of the store is read any more.
  func stop() async {
    let task = state.withLock { state in
      state.isStopped = true
      return state.recalling
    }
    await task?.value
  }

  // MARK: News

  /// Takes news in, on the node's loop; the rows that the session is to learn from now on, if there are enough new ones.
  func take(_ news: FeedNews) -> Work.Rows? {
    switch news {
    case .report(let report):
      notice("\(report)")
      return nil
    case .rows(let rows):
      let lag = Date().timeIntervalSince1970 - Double(rows.milliseconds) / 1_000
      teller.tell(
        .rows(
          sensor: rows.sensor.id, message: Int(clamping: rows.message), first: Int(clamping: rows.first), count: rows.rows.count,
          lag: lag))
      let (fresh, useless): (Work.Rows?, Int) = state.withLock { state in
        guard state.arrivals == nil else {
          state.arrivals?.append(rows)
          return (nil, 0)
        }
        let before = state.basket.refused
        state.basket.add(rows)
        let useless = state.basket.refused - before
        return (state.basket.take(), useless > 0 && state.useless.insert(rows.channel).inserted ? useless : 0)
      }
      if useless > 0 {
        notice("sensor \(rows.sensor.id): \(useless) of \(rows.rows.count) rows cannot be learnt from: \(PeerFeeds.whyRefused)")
      }
      return fresh
    }
  }

  private func notice(_ words: String) {
    state.withLock { state in
      state.reports.append(words)
      if state.reports.count > PeerFeeds.mostReports { state.reports.removeFirst() }
    }
    teller.tell(.noticed(words))
  }

  /// What was noticed lately, and how many rows could not be used.
  var seen: (reports: [String], refused: Int) { state.withLock { ($0.reports, $0.basket.refused) } }

  /// A pointer that was handed over, as `murmur feed` writes it: `{"id":…,"pointer":"stream1b…","format":…,"columns":[…]}`; or by hand, as words:
  /// `NAME stream1b… [A,B,…]`.
  static func pointer(_ path: String) throws -> (Sensor, StreamPointer) {
    guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 16 else {
      throw Failure("--pointer \(path): the file cannot be read")
    }
    if let sensor = try pointer(json: [UInt8](data), path) { return sensor }
    let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count >= 2, words.count <= 3 else {
      throw Failure("--pointer \(path): the file should hold a sensor's name, its pointer (stream1b…), and perhaps its columns")
    }
    do {
      let columns = words.count > 2 ? words[2].split(separator: ",").map(String.init) : []
      return (Sensor(id: String(words[0]), columns: columns), try StreamPointer(text: String(words[1])))
    } catch { throw Failure("--pointer \(path): \(error)") }
  }

  private static func pointer(json bytes: [UInt8], _ path: String) throws -> (Sensor, StreamPointer)? {
    guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return nil }
    do {
      let json = try JSONValue.parse(bytes)
      guard let id = json["id"]?.string, let text = json["pointer"]?.string else {
        throw Failure("--pointer \(path): the file should hold a sensor's \"id\" and its \"pointer\"")
      }
      let columns = (json["columns"]?.array ?? []).compactMap(\.string)
      return (Sensor(id: id, columns: columns, format: json["format"]?.string ?? "csv"), try StreamPointer(text: text))
    } catch let error as StreamError { throw Failure("--pointer \(path): \(error)") }
  }
}

extension ControlAnswer.Streams {
  /// What a station reads.
  init(_ station: borrowing Station, refused: Int, reports: [String]) {
    let now = Date().timeIntervalSince1970
    let holdings = station.ledger.holdings
    self.init(
      sensors: station.harvest.sensors.map { record in
        let last = Double(record.lastMilliseconds) / 1_000
        return Sensor(
          id: record.sensor.id, channel: String(Multibase.base16.encode(record.channel.bytes).dropFirst()),
          mode: record.state.pointer.mode.name, messages: record.state.messages, rows: record.state.rows, lost: record.state.lost,
          failures: record.failures, doubles: record.doubles, isForked: record.isForked,
          last: last, lag: last > 0 ? now - last : nil)
      }, refused: refused, badHeads: station.harvest.badHeads, feeders: station.gateway.feeders,
      transactions: holdings.transactions,
      bytes: holdings.bytes, unconfirmed: holdings.unconfirmed, reports: reports)
  }
}
