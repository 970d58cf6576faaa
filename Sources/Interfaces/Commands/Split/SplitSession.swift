import Foundation
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurScenario
import MurmurSimulator
import MurmurSplit
import MurmurWire

/// The file that all devices of a split network share: the network, the training, who the devices are and where.
struct SplitSession: Codable, Sendable, Equatable {
  /// One device.
  struct Device: Codable, Sendable, Equatable {
    /// How many features it sees.
    var features: Int
    /// Its identity; whoever says it is that device may be it if there is none.
    var peer: String?
    /// Where it is dialled.
    var addresses: [String] = []
    /// Its table, from this file's folder: features, and the class in the last column.
    var table: String?

    init(features: Int) { self.features = features }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      features = try fields.decode(Int.self, forKey: .features)
      peer = try fields.decodeIfPresent(String.self, forKey: .peer)
      addresses = try fields.decodeIfPresent([String].self, forKey: .addresses) ?? []
      table = try fields.decodeIfPresent(String.self, forKey: .table)
    }
  }

  var name: String
  var devices: [Device]
  var neighbours: [[Int]]
  var classes: Int
  /// Rows of every device's table, and how many of them, the first ones, are learnt from.
  var rows: Int
  var training: Int
  var hidden = 32
  var depth = 3
  var batch = 64
  var steps = 1_000
  var rate: Float = 0.003
  /// Up to which rates devices and links are left out in training, sample by sample.
  var dropDevices = 0.6
  var dropLinks = 0.3
  var seed: UInt64 = 1
  /// The longest and the shortest wait, in milliseconds.
  var longestWait = 250.0
  var shortestWait = 20.0
  /// Links that an answer crosses; with 0 none travels.
  var hops = 1
  /// Rounds of averaging instead, if answers are averaged.
  var gossip: Int?
  /// How units learn, by the names of `murmur split simulate`; back-propagation if nothing is said.
  var scheme: String?
  /// What stands for what is missing; `flagged` if nothing is said.
  var missing: String?
  /// How often what is missing is asked for again, and steps in flight at a time; 1 if nothing is said.
  var polls: Int?
  var flights: Int?

  /// The most bytes of such a file.
  static let mostBytes = 4 << 20

  static func read(_ path: String) throws -> SplitSession {
    guard let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int else {
      throw Failure("--session \(path): there is no such file; `murmur split swarm` writes one")
    }
    guard size <= mostBytes, let data = FileManager.default.contents(atPath: path) else {
      throw Failure("--session \(path): it cannot be read, or has more than \(mostBytes) bytes")
    }
    let session: SplitSession
    do { session = try JSONDecoder().decode(SplitSession.self, from: data) } catch {
      throw Failure(
        "--session \(path): it is no session of a split network (\(SplitSession.words(error))); `murmur split swarm` writes one")
    }
    if let problem = session.complaint { throw Failure("--session \(path): \(problem)") }
    return session
  }

  private static func words(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "it has no \"\(key.stringValue)\""
    case .typeMismatch(_, let place), .valueNotFound(_, let place), .dataCorrupted(let place):
      place.codingPath.isEmpty
        ? "it is no JSON" : "\"\(place.codingPath.map(\.stringValue).joined(separator: "."))\" is no such value"
    default: "\(error)"
    }
  }

  func encoded() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// What is wrong with the name of a policy for what is missing.
  static func complaint(missing: String) -> String? {
    guard SplitNetworkPlan.Missing(rawValue: missing) == nil else { return nil }
    return "there is no such policy; known are \(SplitNetworkPlan.Missing.allCases.map(\.rawValue).joined(separator: ", "))"
  }

  /// What is wrong with it; `nil` if nothing is.
  var complaint: String? {
    guard (1...1_024).contains(devices.count) else { return "\(devices.count) devices; there may be 1 to 1024" }
    guard classes > 1, classes <= 10_000 else { return "\(classes) classes; there may be 2 to 10000" }
    guard rows > 0, (0...rows).contains(training) else { return "\(training) training rows of \(rows)" }
    guard devices.allSatisfy({ (1...SplitLimits.columns).contains($0.features) }) else {
      return "a device has no features, or too many"
    }
    guard (1...4_096).contains(hidden), (1...32).contains(depth), (1...SplitLimits.rows).contains(batch) else {
      return "hidden \(hidden), depth \(depth), batch \(batch): out of range"
    }
    guard batch * hidden <= SplitLimits.numbers else { return "batch \(batch) × hidden \(hidden) do not fit into a message" }
    if let scheme, (try? SplitOptions.scheme(scheme)) == nil { return "there is no scheme '\(scheme)'" }
    if let missing, let problem = SplitSession.complaint(missing: missing) { return "missing '\(missing)': \(problem)" }
    guard (1...SplitLimits.hops).contains(gossip ?? 1), (0...16).contains(polls ?? 1), (1...64).contains(flights ?? 1) else {
      return "rounds of gossip, polls or steps in flight are out of range"
    }
    guard rate > 0, rate < 1e3, (0...SplitLimits.steps).contains(steps), (0...1).contains(dropDevices),
      (0...1).contains(dropLinks),
      longestWait > 0, longestWait <= 1e6, shortestWait >= 0, shortestWait <= longestWait, (0...SplitLimits.hops).contains(hops)
    else { return "a rate, a number of steps, a wait or a number of hops is out of range" }
    return plan.complaint
  }

  var plan: SplitPlan {
    var plan = SplitPlan(
      features: devices.map(\.features), neighbours: neighbours,
      stages: SplitPlan.classifier(hidden: hidden, depth: depth, classes: classes), objective: .classes(classes))
    (plan.batch, plan.steps, plan.seed) = (batch, steps, seed)
    plan.rate = .linear(from: rate, to: rate / 30)
    plan.drill = Drill(devices: dropDevices > 0 ? .upTo(dropDevices) : .never, links: dropLinks > 0 ? .upTo(dropLinks) : .never)
    (plan.timing.longest, plan.timing.shortest) = (.milliseconds(longestWait), .milliseconds(shortestWait))
    plan.timing.polls = polls ?? plan.timing.polls
    plan.timing.flights = flights ?? plan.timing.flights
    plan.timing.ahead = max(plan.timing.ahead, plan.timing.flights)
    plan.inference.spreading = gossip.map { .gossip(rounds: $0) } ?? (hops > 0 ? .flood(hops: hops) : .alone)
    var network = SplitNetworkPlan()
    (network.hidden, network.depth) = (hidden, depth)
    if let scheme { network.scheme = (try? SplitOptions.scheme(scheme)) ?? network.scheme }
    if let missing { network.missing = SplitNetworkPlan.Missing(rawValue: missing) ?? network.missing }
    network.shape(&plan)
    return plan
  }

  /// What devices compare besides the plan.
  var context: String { "\(name), \(rows) rows, \(training) of them learnt from" }

  /// Where the neighbours of a device are.
  func places() throws -> [Int: SplitNodeConfiguration.Place] {
    var places: [Int: SplitNodeConfiguration.Place] = [:]
    for (number, device) in devices.enumerated() {
      do {
        places[number] = .init(
          peer: try device.peer.map { try PeerID(parsing: $0) },
          addresses: try device.addresses.map { try Multiaddr(parsing: $0) })
      } catch {
        throw Failure("device \(number) of the session file: \(error); an address is like /ip4/127.0.0.1/tcp/4001")
      }
    }
    return places
  }
}
