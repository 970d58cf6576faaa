public import MurmurCompute
public import MurmurDatasets
import MurmurMachines
public import MurmurScenario
public import MurmurSplit

/// What is wrong with a split scenario for the data it names, and what to do.
public struct SplitSetupError: Error, CustomStringConvertible, Hashable {
  /// The problem and the remedy.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A split scenario worked out for its data: what every device sees, the plan, the graph, the faults.
public struct SplitSetup: Sendable {
  /// The scenario.
  public let scenario: SplitScenario
  /// All rows, training rows first, standardised by what the training rows are.
  public let samples: Samples
  /// How many of them are learnt from.
  public let training: Int
  /// The columns each device sees.
  public let columns: [[Int]]
  /// What each device knows.
  public let rows: [SplitRows]
  /// Classes; 0 where devices learn to give back their features.
  public let classes: Int

  /// Works a scenario out.
  public init(_ scenario: SplitScenario, _ data: Dataset) throws {
    guard data.samples.classes > 1 else {
      throw SplitSetupError("\(data.name): there are no classes to tell apart; name the column that holds the label")
    }
    let split: MurmurDatasets.Split
    do throws(DataError) {
      split = try MurmurDatasets.Split.make(
        data, peers: 1, testLimit: scenario.data.test, chance: Chance(seed: scenario.seed).fork("split"))
    } catch { throw SplitSetupError(error.description) }
    let standard = Standardisation.fit(
      on:
        data.samples, rows: split.peers[0].sorted(), method: Standardisation.method(for: data))
    samples = standard.apply(to: data.samples).subset(rows: split.peers[0].sorted() + split.test)
    training = split.peers[0].count
    columns = try SplitSetup.deal(scenario, data)
    let samples = samples
    let training = training
    rows = columns.map { SplitRows(features: samples.matrix(columns: $0), labels: samples.labels, training: training) }
    classes = data.samples.classes
    self.scenario = scenario
    for fault in scenario.faults { try SplitSetup.check(fault, devices: columns.count) }
    let complaint = try plan(seed: scenario.seed).plan.complaint
    if let complaint { throw SplitSetupError("this network cannot be: \(complaint)") }
  }

  private static func deal(_ scenario: SplitScenario, _ data: Dataset) throws -> [[Int]] {
    let count = scenario.devices.count
    let deal: FeatureDeal
    switch scenario.data.deal {
    case .own:
      var side = 1
      while side * side < count { side += 1 }
      let isSquare = side * side == count
      if let shape = data.imageShape, isSquare, shape.height % side == 0, shape.width % side == 0 {
        deal = .patches(rows: side, columns: side)
      } else {
        deal = .even
      }
    case .even: deal = .even
    case .patches(let side):
      guard side * side == count else {
        throw SplitSetupError(
          "data.deal: \(side) × \(side) patches are for \(side * side) devices, and devices.count is \(count)")
      }
      deal = .patches(rows: side, columns: side)
    case .prefix(let separator): deal = .prefixes(separator: separator.first ?? "_")
    case .columns(let lists): deal = .columns(try lists.map { try numbers($0) })
    }
    do throws(DataError) { return try deal.columns(of: data, devices: count) } catch { throw SplitSetupError(error.description) }
  }

  /// The numbers of `0-3,7`.
  private static func numbers(_ text: String) throws -> [Int] {
    try text.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").map { Int($0.filter { $0 != " " }) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last, last < 1 << 24 else {
        throw SplitSetupError("data.deal.columns: '\(text)' is no list of columns such as 0-3,7")
      }
      return Array(first...last)
    }
  }

  private static func check(_ fault: SplitFaultPlan, devices: Int) throws {
    let named: [Int] =
      switch fault {
      case .dies(let device, _), .returns(let device, _), .joins(let device, _): [device]
      case .breaks(let from, let to, _), .heals(let from, let to, _): [from, to]
      case .flapping: []
      }
    if let odd = named.first(where: { $0 >= devices }) {
      throw SplitSetupError("faults: there is no device \(odd); they are numbered 0 to \(devices - 1)")
    }
  }

  /// The devices there are.
  public var devices: Int { columns.count }

  /// The test rows.
  public var test: Range<Int> { training..<samples.count }

  /// The plan and the graph of the run with a seed. `links` is the text of the file that `devices.graph` names, if it names one.
  public func plan(seed: UInt64, links text: String? = nil) throws -> (plan: SplitPlan, graph: DeviceGraph) {
    let graph = try graph(seed: seed, links: text)
    let reach = VirtualGraph.Reach(rawValue: scenario.devices.reach.rawValue) ?? .direct
    let network = scenario.network
    var plan = SplitPlan(
      features: columns.map(\.count), neighbours: VirtualGraph(graph, reach).neighbours,
      stages: SplitPlan.classifier(hidden: network.hidden, depth: network.depth, classes: classes), objective: .classes(classes))
    let hidden = plan.stages.dropLast()
    switch network.scheme {
    case .backpropagation: plan.rule = .backpropagation
    case .summed: plan.objective = .summedClasses(classes)
    case .greedy(let replay): plan.rule = .greedy(replay: replay)
    case .forwardForward(let sharpness):
      plan.rule = .forwardForward(sharpness: Float(sharpness))
      plan.stages = Array(hidden)
    case .softHebb(let temperature):
      plan.rule = .softHebb(temperature: Float(temperature))
      plan.stages = hidden.map { SplitStage($0.reads, [DenseShape($0.width, .none)]) } + [readOut(network.hidden)]
    case .barlowTwins(let redundancy):
      plan.rule = .barlowTwins(redundancy: Float(redundancy))
      plan.stages = hidden + [readOut(network.hidden)]
    }
    plan.missing = MissingPolicy(rawValue: network.missing.rawValue) ?? .flagged
    plan.batch = min(scenario.training.batch, training)
    plan.steps = Int(epochs * Double(max(1, training / plan.batch)))
    let rate = Float(scenario.training.rate)
    plan.rate = .linear(from: rate, to: rate / 50)
    plan.drill = Drill(devices: .upTo(scenario.training.drop), links: .upTo(scenario.training.linkDrop))
    plan.seed = seed
    plan.timing.longest = scenario.devices.deadline
    switch scenario.test.answers {
    case .flood(let hops): plan.inference.spreading = .flood(hops: hops)
    case .gossip(let rounds): plan.inference.spreading = .gossip(rounds: rounds)
    case .alone: plan.inference.spreading = .alone
    }
    // Who asks gives every stage its time, and the answers theirs.
    plan.inference.deadline = scenario.devices.deadline * Double(network.depth + 4)
    return (plan, graph)
  }

  /// Passes over the training rows.
  public var epochs: Double {
    scenario.training.epochs ?? min(60, max(2, (4_000 * Double(scenario.training.batch) / Double(training)).rounded()))
  }

  /// The read-out of rules that learn without labels: it reads the neighbours.
  private func readOut(_ hidden: Int) -> SplitStage {
    SplitStage(.neighbours, [DenseShape(hidden, .relu), DenseShape(classes, .none)])
  }

  private func graph(seed: UInt64, links text: String?) throws -> DeviceGraph {
    var chance = Chance(seed: seed).fork("graph")
    let own: DeviceGraph =
      switch scenario.devices.graph {
      case .complete: .complete(devices)
      case .ring: .ring(devices)
      case .line: .line(devices)
      case .grid: .grid(devices)
      case .star: .star(devices)
      case .geometric(let degree): .geometric(devices, degree: degree, chance: &chance)
      case .preferential(let links): .preferential(devices, links: links, chance: &chance)
      case .file(let path): try SplitSetup.parse(text ?? "", file: path, devices: devices)
      }
    if case .file = scenario.devices.graph { return own }
    let bandwidth = scenario.devices.bandwidth.map { $0.bitsPerSecond.isFinite ? $0.bitsPerSecond / 8 : 0 } ?? 0
    return own.with(latency: scenario.devices.latency, bandwidth: bandwidth)
  }

  /// Links from text: two device numbers a line, and if need be milliseconds and bytes a second; lines that begin with # say nothing.
  public static func parse(_ text: String, file: String, devices: Int) throws -> DeviceGraph {
    var links: [DeviceGraph.Link] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let fields = line.split { $0 == "," || $0 == ";" || $0.isWhitespace }
      if fields.isEmpty || line.first == "#" { continue }
      let ends = fields.prefix(2).map { Int($0) }
      let more = fields.dropFirst(2).map { Double($0) }
      guard fields.count >= 2, fields.count <= 4, let a = ends[0], let b = ends[1], a != b, a >= 0, b >= 0, a < devices,
        b < devices,
        more.allSatisfy({ $0.map { $0 >= 0 && $0.isFinite } ?? false })
      else {
        throw SplitSetupError(
          "\(file):\(index + 1): '\(line.prefix(60))' is no link; write two device numbers below \(devices), and if need be "
            + "milliseconds and bytes a second")
      }
      links.append(
        DeviceGraph.Link(
          a, b, latency: .milliseconds(more.first.flatMap { $0 } ?? 0),
          bandwidth: more.count > 1 ? more[more.startIndex + 1] ?? 0 : 0))
      if links.count > 10_000_000 { throw SplitSetupError("\(file): more than ten million links") }
    }
    return DeviceGraph(devices: devices, links: links)
  }

  /// What devices and links are like, and what happens to them.
  public var conditions: SplitConditions {
    var result = SplitConditions()
    result.speeds = [scenario.devices.speed * 1e9]
    result.loss = scenario.devices.loss
    result.jitter = scenario.devices.jitter
    for fault in scenario.faults {
      switch fault {
      case .dies(let device, let step): result.faults.append(SplitFault(.step(step), .dies(device)))
      case .returns(let device, let step): result.faults.append(SplitFault(.step(step), .returns(device)))
      case .joins(let device, let step): result.faults.append(SplitFault(.step(step), .joins(device)))
      case .breaks(let from, let to, let step): result.faults.append(SplitFault(.step(step), .breaks(from, to)))
      case .heals(let from, let to, let step): result.faults.append(SplitFault(.step(step), .heals(from, to)))
      case .flapping(let share, let on, let off):
        result.flapping = SplitConditions.Flapping(share: share, on: on, off: off)
      }
    }
    return result
  }
}
