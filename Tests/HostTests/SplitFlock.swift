import MurmurCompute
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurSplit
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The devices of a split network as nodes of this process, over the loopback interface, and what they tell.
final class SplitFlock: Sendable {
  private struct Heard {
    var events: [SplitNodeEvent] = []
    var waiting: [(holds: @Sendable ([SplitNodeEvent]) -> Bool, promise: EventLoopPromise<Void>)] = []
  }

  static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
  let plan: SplitPlan
  let rows: [SplitRows]
  private let heard: [NIOLockedValueBox<Heard>]
  private let ports: NIOLockedValueBox<[Multiaddr]>

  init(_ plan: SplitPlan, _ rows: [SplitRows]) throws {
    self.plan = plan
    self.rows = rows
    heard = plan.features.map { _ in NIOLockedValueBox(Heard()) }
    // Nobody listens there until the device does: dials before are refused and tried again.
    ports = NIOLockedValueBox(try plan.features.map { _ in try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0") })
  }

  static func keys(_ number: Int) -> KeyPair { KeyPair(seed: .sha256(of: Array("split device \(number)".utf8))) }

  /// A device that has not started. Devices are to be made in the order of their numbers: each dials those before it.
  func make(
    _ number: Int, plan other: SplitPlan? = nil, checkpoint: [UInt8]? = nil, life: Int = 0,
    _ configure: (inout SplitNodeConfiguration) -> Void = { _ in }
  ) async throws -> SplitNode {
    var configuration = SplitNodeConfiguration()
    configuration.listen = [ports.withLockedValue { $0[number] }]
    let places = ports.withLockedValue { $0 }
    for device in plan.features.indices where device != number {
      let hasPort = device < number || life > 0
      configuration.places[device] = .init(
        peer: SplitFlock.keys(device).peerID, addresses: hasPort ? [places[device]] : [])
    }
    configuration.redial = .milliseconds(20)
    configuration.courtesy = .milliseconds(50)
    configure(&configuration)
    let box = heard[number]
    return try await SplitNode.make(
      configuration, keys: SplitFlock.keys(number), plan: other ?? plan, device: number, rows: rows[number],
      checkpoint: checkpoint, life: life, group: SplitFlock.loops
    ) { event, _ in
      let due: [EventLoopPromise<Void>] = box.withLockedValue { heard in
        heard.events.append(event)
        let due = heard.waiting.filter { $0.holds(heard.events) }.map(\.promise)
        heard.waiting.removeAll { $0.holds(heard.events) }
        return due
      }
      for promise in due { promise.succeed(()) }
    }
  }

  /// Starts a device; the others are told where it listens.
  func start(_ node: SplitNode) async throws {
    let bound = try await node.start()
    ports.withLockedValue { if let first = bound.first { $0[node.number] = first } }
  }

  /// All devices, started.
  func startAll() async throws -> [SplitNode] {
    var nodes: [SplitNode] = []
    for number in plan.features.indices {
      let node = try await make(number)
      try await start(node)
      nodes.append(node)
    }
    return nodes
  }

  func address(_ number: Int) -> Multiaddr { ports.withLockedValue { $0[number] } }

  func events(_ number: Int) -> [SplitNodeEvent] { heard[number].withLockedValue { $0.events } }

  /// Returns when something holds of what a device told; fails when that takes too long.
  func hears(
    _ number: Int, within: TimeAmount = .seconds(30), _ holds: @escaping @Sendable ([SplitNodeEvent]) -> Bool
  ) async throws {
    let promise = SplitFlock.loops.next().makePromise(of: Void.self)
    let isThere = heard[number].withLockedValue { heard in
      if holds(heard.events) { return true }
      heard.waiting.append((holds, promise))
      return false
    }
    if isThere { promise.succeed(()) }
    let alarm = promise.futureResult.eventLoop.scheduleTask(in: within) {
      promise.fail(SplitRefusal("device \(number) was waited for in vain"))
    }
    defer { alarm.cancel() }
    try await promise.futureResult.get()
  }
}

extension [SplitNodeEvent] {
  /// The latest step that ended.
  var step: Int { reversed().lazy.compactMap { if case .stepped(let step, _, _) = $0 { step } else { nil } }.first ?? -1 }
  var hasTrained: Bool { contains { if case .trained = $0 { true } else { false } } }
  var problems: [String] { compactMap { if case .problem(let words) = $0 { words } else { nil } } }
}

/// A made-up task whose features are spread over devices: the class is the sign of a sum over all features.
enum SplitScene {
  static func rows(devices: Int, width: Int, training: Int, tested: Int, seed: UInt64) -> [SplitRows] {
    var chance = Chance(seed: seed).fork("scene")
    let count = training + tested
    var features = [[Float]](repeating: [], count: devices)
    var labels: [Int32] = []
    for _ in 0..<count {
      var sum: Float = 0
      for device in 0..<devices {
        for _ in 0..<width {
          let value = Float(chance.normal())
          features[device].append(value)
          sum += value
        }
      }
      labels.append(sum > 0 ? 1 : 0)
    }
    return (0..<devices).map {
      SplitRows(features: Matrix(rows: count, columns: width, features[$0]), labels: labels, training: training)
    }
  }

  static func plan(devices: Int, width: Int, steps: Int, seed: UInt64) -> SplitPlan {
    var plan = SplitPlan(
      features: Array(repeating: width, count: devices), neighbours: DeviceGraph.complete(devices).neighbours,
      stages: SplitPlan.classifier(hidden: 8, depth: 3, classes: 2), objective: .classes(2))
    plan.steps = steps
    plan.batch = 32
    plan.seed = seed
    plan.rate = .linear(from: 0.01, to: 0.001)
    return plan
  }
}
