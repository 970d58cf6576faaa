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
  public private(set) var scenario: SplitScenario
  /// All rows, training rows first, standardised by what the training rows are.
  public let samples: Samples
  /// How many of them are learnt from.
  public let training: Int
  /// The columns each device sees.
  public let columns: [[Int]]
  /// What each device knows.
  public let rows: [SplitRows]
  /// Classes; 0 where a number is told.
  public let classes: Int
  /// Where a number is told, that of every row, in standard deviations from the mean of the training rows; NaN where it is not known.
  public let targets: [Float]
  /// What one standard deviation is, in the column's own unit.
  public let unit: Double

  /// Works a scenario out.
  public init(_ scenario: SplitScenario, _ data: Dataset) throws {
    let target = try scenario.data.target.map { try SplitSetup.column($0, data) }
    guard data.samples.classes > 1 || target != nil else {
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
    let (learnt, told) = try SplitSetup.rows(split, scenario)
    let order = learnt + told
    samples = standard.apply(to: data.samples).subset(rows: order)
    training = learnt.count
    columns = SplitSetup.copied(try SplitSetup.deal(scenario, data, but: target), scenario.data.copies)
    classes = target == nil ? data.samples.classes : 0
    targets =
      target.map { column in
        order.map { row in (data.samples.row(Int(row))[column] - standard.shift[column]) * standard.scale[column] }
      } ?? []
    unit = target.map { standard.scale[$0] > 0 ? 1 / Double(standard.scale[$0]) : 0 } ?? 1
    if target != nil, unit == 0 || training == 0 {
      throw SplitSetupError("data.target: the column is the same in all training rows; there is nothing to tell")
    }
    let (samples, training) = (samples, training)
    let numbers = targets.isEmpty ? nil : Matrix(rows: targets.count, columns: 1, targets)
    let labels = target == nil ? samples.labels : []
    rows = columns.map { SplitRows(features: samples.matrix(columns: $0), labels: labels, targets: numbers, training: training) }
    self.scenario = scenario
    for fault in scenario.faults { try SplitSetup.check(fault, devices: columns.count) }
    try SplitSetup.check(scenario.test, devices: columns.count)
    if let many = scenario.test.dead.first(where: { $0.count(of: columns.count) > columns.count }) {
      throw SplitSetupError("test.dead: \(many.count(of: columns.count)) devices cannot be dead of \(columns.count)")
    }
    let (plan, graph) = try plan(seed: scenario.seed)
    if let complaint = plan.complaint { throw SplitSetupError("this network cannot be: \(complaint)") }
    try checkTime(graph)
  }

  /// What happens at times needs time to pass.
  private func checkTime(_ graph: DeviceGraph) throws {
    let (conditions, asking) = (conditions, asking)
    guard conditions.speeds == [0], graph.links.allSatisfy({ $0.latency == .zero && $0.bandwidth == 0 }) else { return }
    let isTimed = [conditions, asking].contains { some in
      some.flapping != nil || some.flappingLinks != nil || some.faults.contains { if case .at = $0.when { true } else { false } }
    }
    guard isTimed else { return }
    throw SplitSetupError(
      "devices.speed: with 0 and links without latency no time passes in which devices or links could come and go; "
        + "give devices.latency, a speed above 0, or faults by `step`")
  }

  /// The rows that are learnt from, and those that answers are compared on: test rows, or, to choose settings, some of the others.
  private static func rows(_ split: MurmurDatasets.Split, _ scenario: SplitScenario) throws -> (learnt: [Int32], told: [Int32]) {
    var learnt = split.peers[0].sorted()
    guard scenario.data.validation > 0 else { return (learnt, split.test) }
    let count = Int((Double(learnt.count) * scenario.data.validation).rounded())
    guard count > 0, count < learnt.count else {
      throw SplitSetupError(
        "data.validation: of \(learnt.count) training rows, \(count) cannot be kept apart; give another share")
    }
    var chance = Chance(seed: scenario.seed).fork("validation")
    chance.shuffle(&learnt)
    let told = learnt.suffix(count).prefix(scenario.data.test ?? .max)
    return (learnt.dropLast(count).sorted(), told.sorted())
  }

  /// The number of the column with a name, or with a number.
  private static func column(_ name: String, _ data: Dataset) throws -> Int {
    if let place = data.featureNames.firstIndex(of: name) { return place }
    if let place = Int(name), data.featureNames.indices.contains(place) { return place }
    let some = data.featureNames.prefix(8).joined(separator: ", ")
    throw SplitSetupError(
      "data.target: there is no column '\(name)' in \(data.name); there are \(some)\(data.featureNames.count > 8 ? ", …" : "")")
  }

  /// Each device's columns, and those of the devices after it.
  private static func copied(_ columns: [[Int]], _ copies: Int) -> [[Int]] {
    guard copies > 0 else { return columns }
    return columns.indices.map { device in
      var (all, seen) = ([Int](), Set<Int>())
      for step in 0...min(copies, columns.count - 1) {
        for column in columns[(device + step) % columns.count] where seen.insert(column).inserted { all.append(column) }
      }
      return all
    }
  }

  /// The columns of each device; what is to be told is none of them.
  private static func deal(_ scenario: SplitScenario, _ data: Dataset, but target: Int?) throws -> [[Int]] {
    guard let target else { return try deal(scenario, data) }
    // Dealt as if the column were not there.
    let kept = data.featureNames.indices.filter { $0 != target }
    guard !kept.isEmpty else { throw SplitSetupError("\(data.name): there is no column but the one that is to be told") }
    let rest = Dataset(
      name: data.name, samples: Samples(features: [Float](repeating: 0, count: kept.count), width: kept.count),
      featureNames: kept.map { data.featureNames[$0] })
    return try deal(scenario, rest).map { $0.map { kept[$0] } }
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

  /// What is measured, as far as the number of devices decides it.
  private static func check(_ test: SplitTestPlan, devices: Int) throws {
    for named in test.named {
      if let odd = named.first(where: { $0 >= devices }) {
        throw SplitSetupError("test.named: there is no device \(odd); they are numbered 0 to \(devices - 1)")
      }
    }
    for fault in test.faults {
      try check(fault, devices: devices)
      if case .joins = fault {
        throw SplitSetupError(
          "test.faults: who joins while questions are asked has learnt nothing; let a device `returns` that died")
      }
      if fault.when?.step != nil {
        throw SplitSetupError(
          "test.faults: nobody learns while questions are asked; say with `at` when it happens, not with `step`")
      }
    }
  }

  private static func check(_ fault: SplitFaultPlan, devices: Int) throws {
    let named: [Int] =
      switch fault {
      case .dies(let device, _), .returns(let device, _), .joins(let device, _): [device]
      case .breaks(let from, let to, _), .heals(let from, let to, _): [from, to]
      case .flapping, .flappingLinks: []
      }
    if let when = fault.when, (when.step == nil) == (when.time == nil) {
      throw SplitSetupError("faults: say when it happens, with `step` or with `at`, one of the two")
    }
    if case .flapping(_, let on, let off) = fault, min(on, off) <= .zero {
      throw SplitSetupError("faults: who comes and goes in no time is neither there nor away; give times above 0")
    }
    if case .flappingLinks(_, let on, let off) = fault, min(on, off) <= .zero {
      throw SplitSetupError("faults: links that come and go in no time are neither up nor down; give times above 0")
    }
    if let odd = named.first(where: { $0 >= devices }) {
      throw SplitSetupError("faults: there is no device \(odd); they are numbered 0 to \(devices - 1)")
    }
    if named.count == 2, named[0] == named[1] { throw SplitSetupError("faults: device \(named[0]) has no link to itself") }
  }

  /// The same data and devices under another scenario, whose data and number of devices are the same.
  func with(_ scenario: SplitScenario) -> SplitSetup {
    var setup = self
    setup.scenario = scenario
    return setup
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
      stages: SplitPlan.classifier(hidden: network.hidden, depth: network.depth, classes: outputs),
      objective: classes > 0 ? .classes(classes) : .targets(1))
    if classes == 0 {
      switch network.scheme {
      case .summed, .forwardForward:
        throw SplitSetupError("network.scheme: this scheme tells classes apart, and data.target is a number; choose another")
      default: break
      }
    }
    network.shape(&plan)
    plan.batch = min(scenario.training.batch, training)
    plan.steps = Int(epochs * Double(max(1, training / plan.batch)))
    let rate = Float(scenario.training.rate)
    plan.rate = .linear(from: rate, to: rate / 50)
    plan.drill = Drill(devices: .upTo(scenario.training.drop), links: .upTo(scenario.training.linkDrop))
    plan.seed = seed
    plan.timing.longest = scenario.devices.deadline
    plan.timing.shortest = min(scenario.timing.shortest, scenario.devices.deadline)
    plan.timing.polls = scenario.timing.polls
    plan.timing.patience = scenario.timing.patience
    plan.timing.flights = scenario.timing.flights
    plan.timing.ahead = max(scenario.timing.ahead, scenario.timing.flights)
    switch scenario.test.answers {
    case .flood(let hops): plan.inference.spreading = .flood(hops: hops)
    case .gossip(let rounds): plan.inference.spreading = .gossip(rounds: rounds)
    case .alone: plan.inference.spreading = .alone
    }
    // Who asks gives every stage its time, and the answers theirs.
    plan.inference.deadline = scenario.devices.deadline * Double(network.depth + 4)
    return (plan, graph)
  }

  /// Columns that devices see; what is to be told is none of them.
  var features: Int { Set(columns.joined()).count }

  /// Rows with what is to be told beside them, for a network that sees everything; unknown targets are the mean.
  var numbers: Samples {
    let seen = Set(columns.joined()).sorted()
    return Samples(
      features: samples.matrix(columns: seen).array, width: seen.count, targets: targets.map { $0.isNaN ? 0 : $0 }, targetWidth: 1
    )
  }

  /// The mean squared error of whoever says the mean of the training rows.
  public var variance: Double {
    let known = test.map { targets[$0] }.filter { !$0.isNaN }
    return known.reduce(0) { $0 + Double($1) * Double($1) } * unit * unit / Double(max(1, known.count))
  }

  /// Numbers of an answer.
  var outputs: Int { max(classes, 1) }

  /// Passes over the training rows.
  public var epochs: Double {
    scenario.training.epochs ?? min(60, max(2, (4_000 * Double(scenario.training.batch) / Double(training)).rounded()))
  }

  /// The graph of a kind; `links` is the text of the file, if the kind names one.
  public static func graph(
    _ kind: SplitDevicePlan.Graph, devices: Int, seed: UInt64, links text: String? = nil
  ) throws -> DeviceGraph {
    var chance = Chance(seed: seed).fork("graph")
    return switch kind {
    case .complete: .complete(devices)
    case .ring: .ring(devices)
    case .line: .line(devices)
    case .grid: .grid(devices)
    case .star: .star(devices)
    case .geometric(let degree): .geometric(devices, degree: degree, chance: &chance)
    case .preferential(let links): .preferential(devices, links: links, chance: &chance)
    case .file(let path): try SplitSetup.parse(text ?? "", file: path, devices: devices)
    }
  }

  private func graph(seed: UInt64, links text: String?) throws -> DeviceGraph {
    let own = try SplitSetup.graph(scenario.devices.graph, devices: devices, seed: seed, links: text)
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

  /// What devices and links are like, and what happens to them while they learn.
  public var conditions: SplitConditions { conditions(scenario.faults) }

  /// The same devices and links, and what happens to them while questions are asked.
  var asking: SplitConditions { conditions(scenario.test.faults) }

  private func conditions(_ faults: [SplitFaultPlan]) -> SplitConditions {
    var result = SplitConditions()
    result.speeds = [scenario.devices.speed * 1e9]
    result.loss = scenario.devices.loss
    result.jitter = scenario.devices.jitter
    for fault in faults {
      switch fault {
      case .dies(let device, let when): result.faults += SplitSetup.fault(when, .dies(device))
      case .returns(let device, let when): result.faults += SplitSetup.fault(when, .returns(device))
      case .joins(let device, let when): result.faults += SplitSetup.fault(when, .joins(device))
      case .breaks(let from, let to, let when): result.faults += SplitSetup.fault(when, .breaks(from, to))
      case .heals(let from, let to, let when): result.faults += SplitSetup.fault(when, .heals(from, to))
      case .flapping(let share, let on, let off):
        result.flapping = SplitConditions.Flapping(share: share, on: on, off: off)
      case .flappingLinks(let share, let on, let off):
        result.flappingLinks = SplitConditions.Flapping(share: share, on: on, off: off)
      }
    }
    return result
  }

  private static func fault(_ when: SplitFaultPlan.When, _ what: SplitFault.What) -> [SplitFault] {
    if let step = when.step { return [SplitFault(.step(step), what)] }
    return when.time.map { [SplitFault(.at(.origin + $0), what)] } ?? []
  }
}

extension SplitNetworkPlan {
  /// Gives a plan for a classifier, or for numbers, the stages, the rule and the policy of this network.
  public func shape(_ plan: inout SplitPlan) {
    let outputs = plan.stages[plan.stages.count - 1].width
    // Rules that learn without labels have a read-out, which reads the neighbours.
    let readOut = SplitStage(.neighbours, [DenseShape(self.hidden, .relu), DenseShape(outputs, .none)])
    let hidden = plan.stages.dropLast()
    switch scheme {
    case .backpropagation: plan.rule = .backpropagation
    case .summed: plan.objective = .summedClasses(max(plan.objective.classes, 2))
    case .greedy(let replay): plan.rule = .greedy(replay: replay)
    case .forwardForward(let sharpness):
      plan.rule = .forwardForward(sharpness: Float(sharpness))
      plan.stages = Array(hidden)
    case .softHebb(let temperature):
      plan.rule = .softHebb(temperature: Float(temperature))
      plan.stages = hidden.map { SplitStage($0.reads, [DenseShape($0.width, .none)]) } + [readOut]
    case .barlowTwins(let redundancy):
      plan.rule = .barlowTwins(redundancy: Float(redundancy))
      plan.stages = hidden + [readOut]
    }
    plan.missing = MissingPolicy(rawValue: missing.rawValue) ?? .flagged
  }
}
