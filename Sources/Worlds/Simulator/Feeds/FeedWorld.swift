import MurmurFeeds
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurScenario
import MurmurStreams
import MurmurWire

/// The part of a world that has to do with streams: a station beside every peer, and the sensors.
struct FeedWorld {
  /// The station of a peer, and what of it outlives a crash.
  struct House {
    var station: Station
    var chance: Chance
    var basket: RowBasket
    var timers: [(timer: Station.Timer, at: Instant)] = []
    var snapshot: LedgerSnapshot?
    var states: [FeedState] = []
    /// The life that began with an empty disk: a new one issues under a new name, as it forgot what the old one issued.
    var issuer = 0
    var reports: [StationReport] = []

    mutating func step(_ input: Station.Input, at now: Instant, effects: inout Effects<Station.Effect>) {
      station.step(input, at: now, chance: &chance, effects: &effects)
    }

    mutating func keep(_ state: FeedState) {
      if let place = states.firstIndex(where: { $0.channel == state.channel }) {
        states[place] = state
      } else {
        states.append(state)
      }
    }
  }

  /// A device that reads rows and publishes them.
  struct SensorNode {
    let id: PeerID
    var sensor: Sensor
    var writer: StreamWriter
    var feeder: Feeder
    var chance: Chance
    /// The full peers it leans on, by slot.
    let gateways: [Int32]
    /// The rows it has not read yet, as lines.
    var lines: [String]
    var read = 0
    /// Messages that are not confirmed; the first has the number ``first``.
    var spool: [(tag: [UInt8], bytes: [UInt8])] = []
    var first = 0
    var isAlive = true
    var life: Int32 = 0
    /// The slot whose stream is open, and how often one was dialled.
    var open: Int?
    var dial: Int32 = 0
    var timers: [(timer: Feeder.Timer, at: Instant)] = []
    var uplink = Uplink()

    mutating func step(_ input: Feeder.Input, at now: Instant, effects: inout Effects<Feeder.Effect>) {
      feeder.step(input, at: now, chance: &chance, effects: &effects)
    }
  }

  /// What happens between stations and sensors.
  indirect enum Event {
    case ledger(from: Int32, to: Int32, LedgerMessage)
    case toGateway(sensor: Int32, slot: Int32, dial: Int32, FeedMessage)
    case toSensor(Int32, dial: Int32, FeedMessage)
    case dialled(Int32, slot: Int32, dial: Int32)
    case stationTimer(Int32, Station.Timer, life: Int32)
    case sensorTimer(Int32, Feeder.Timer, life: Int32)
    case reading(Int32)
    case worked(Int32, Challenge, life: Int32)
  }

  /// What waits for its turn: a machine takes one input, and all its effects are performed, before the next.
  enum Wish {
    case peer(Int, Peer.Input)
    case station(Int, Station.Input)
    case sensor(Int, Feeder.Input)
  }

  typealias Birth = @Sendable (_ number: Int, _ life: Int, _ issuer: Int, [FeedState]) -> Station

  var houses: [House] = []
  var sensors: [SensorNode] = []
  var birth: Birth?
  /// An empty basket.
  var basket: RowBasket?
  var topic = Station.topic(of: "")
  var session = ""
  var packet = 50
  /// Between two messages of a sensor.
  var interval = Instant.Span.seconds(1)
  var wishes: [Wish] = []
  /// Seconds from the reading of rows to their verification at a peer, of at most ``mostDelays``.
  var delays: [Double] = []
  static let mostDelays = 1 << 20
  static let mostReports = 1_000

  /// Whether there is anything to do here.
  var isActive: Bool { !houses.isEmpty }

  /// The sensor with that identity.
  func sensor(_ id: PeerID) -> Int? { sensors.firstIndex { $0.id == id } }
}
