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
  }

  /// Words that are kept for whoever asks.
  static let mostReports = 20
  private let state: Mutex<State>
  private let teller: any PeerTeller
  /// The rows of earlier lives.
  let inherited: Work.Rows?
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
    self.teller = teller
    var basket = basket
    let session = setup.session
    let kept = try store.map { try FeedInheritance($0, session: session.name) }
    for rows in kept?.rows ?? [] { basket.add(rows) }
    inherited = basket.take(all: true)
    var station = Setup.station(
      session, keys: keys, peers: peers, sides: sides, states: kept?.states ?? [], allowed: setup.allowedSensors,
      chance: chance.fork("station"))
    if let kept {
      var (chance, effects) = (chance.fork("restoring"), Effects<Station.Effect>())
      station.step(.restored(kept.transactions, kept.snapshot), at: .origin, chance: &chance, effects: &effects)
    }
    self.station = station
    state = Mutex(State(basket: basket))
  }

  /// Takes news in, on the node's loop; the rows that the session is to learn from now on, if there are enough new ones.
  func take(_ news: FeedNews) -> Work.Rows? {
    switch news {
    case .report(let report):
      state.withLock { state in
        state.reports.append("\(report)")
        if state.reports.count > PeerFeeds.mostReports { state.reports.removeFirst() }
      }
      teller.tell(.noticed("\(report)"))
      return nil
    case .rows(let rows):
      let lag = Date().timeIntervalSince1970 - Double(rows.milliseconds) / 1_000
      teller.tell(
        .rows(
          sensor: rows.sensor.id, message: Int(clamping: rows.message), first: Int(clamping: rows.first), count: rows.rows.count,
          lag: lag))
      return state.withLock { state in
        state.basket.add(rows)
        return state.basket.take()
      }
    }
  }

  /// What was noticed lately.
  var reports: [String] { state.withLock { $0.reports } }

  /// A pointer that was handed over, in a file with the sensor's name before it: `NAME stream1b…`.
  static func pointer(_ path: String) throws -> (Sensor, StreamPointer) {
    guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 16 else {
      throw Failure("--pointer \(path): the file cannot be read")
    }
    let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count >= 2, words.count <= 3 else {
      throw Failure("--pointer \(path): the file should hold a sensor's name, its pointer (stream1b…), and perhaps its columns")
    }
    do {
      let columns = words.count > 2 ? words[2].split(separator: ",").map(String.init) : []
      return (Sensor(id: String(words[0]), columns: columns), try StreamPointer(text: String(words[1])))
    } catch { throw Failure("--pointer \(path): \(error)") }
  }
}

extension ControlAnswer.Streams {
  /// What a station reads.
  init(_ station: borrowing Station, reports: [String]) {
    let holdings = station.ledger.holdings
    self.init(
      sensors: station.harvest.sensors.map { record in
        Sensor(
          id: record.sensor.id, channel: String(Multibase.base16.encode(record.channel.bytes).dropFirst()),
          mode: record.state.pointer.mode.name, messages: record.state.messages, rows: record.state.rows, lost: record.state.lost,
          failures: record.failures, doubles: record.doubles, isForked: record.isForked,
          last: Double(record.lastMilliseconds) / 1_000)
      }, badHeads: station.harvest.badHeads, feeders: station.gateway.feeders, transactions: holdings.transactions,
      bytes: holdings.bytes, unconfirmed: holdings.unconfirmed, reports: reports)
  }
}
