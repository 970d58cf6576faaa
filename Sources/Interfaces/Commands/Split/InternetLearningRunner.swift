import Foundation
import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurReports
import MurmurSimulator
import MurmurSplit

/// Trains and measures every way to reconstruct images, with progress over all of it; what is finished when it is stopped is kept.
struct InternetLearningRunner {
  typealias Way = InternetLearningRuns.Way
  typealias Fault = InternetLearningRuns.Fault

  private let images: PatchImages
  private let isQuick: Bool
  private let console = Console()
  private let stopped: () -> Bool
  private let started = ContinuousClock.now

  /// A runner on these images, which asks `stopped` all the time.
  init(_ images: PatchImages, isQuick: Bool, stopped: @escaping () -> Bool) {
    self.images = images
    self.isQuick = isQuick
    self.stopped = stopped
  }

  /// Runs everything, and tells `checkpoint` what there is whenever a seed is complete.
  func run(
    tableSeeds: [UInt64], strategySeeds: [UInt64], checkpoint: (InternetLearningRuns) throws -> Void = { _ in }
  ) throws -> InternetLearningRuns {
    var runs = InternetLearningRuns(tableSeeds: tableSeeds, strategySeeds: strategySeeds)
    runs.images = (images.training, images.tested.count)
    let seeds = Set(tableSeeds + strategySeeds).sorted()
    func ways(_ seed: UInt64) -> [Way] {
      (tableSeeds.contains(seed) ? [Way.lone(isCentred: false)] : []) + [.lone(isCentred: true)]
        + (tableSeeds.contains(seed) ? Way.table : [])
        + (strategySeeds.contains(seed) ? Way.strategies.filter { $0 != .lone(isCentred: true) } : [])
    }
    let all = seeds.flatMap(ways)
    let cost = all.reduce(0) { $0 + $1.cost }
    var done = 0.0
    for seed in seeds {
      console.progress("\(all.count) networks", done / cost, "seed \(seed), autoencoder")
      guard let codes = Codes(images, seed: seed, stopped) else { return interrupted(runs, of: all.count) }
      runs.attempts[seed] = codes.raw.attempts
      for way in ways(seed) {
        show(all.count, done / cost, "seed \(seed), \(way.name)")
        guard var strategy = trained(way, codes, seed), let errors = measured(&strategy, way.faults) else {
          return interrupted(runs, of: all.count)
        }
        runs.runs.append(InternetLearningRuns.Run(way: way, seed: seed, errors: errors))
        if seed == strategySeeds.first ?? 0, Way.strategies.contains(way) || way == Way.pictured {
          runs.pictures.append((way.name, pictures(&strategy)))
        }
        done += way.cost
      }
      summarise(seed, runs)
      runs.wallSeconds = seconds
      if seed != seeds.last { try checkpoint(interrupted(runs, of: all.count, isGoingOn: true)) }
    }
    return runs
  }

  private var seconds: Double {
    let time = started.duration(to: .now)
    return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
  }

  private func show(_ count: Int, _ share: Double, _ label: String) {
    let left = share > 0.02 ? ", about \(Numerals.duration((seconds / share * (1 - share)).rounded())) left" : ""
    console.progress("\(count) networks", share, label + left)
  }

  private func interrupted(_ runs: InternetLearningRuns, of count: Int, isGoingOn: Bool = false) -> InternetLearningRuns {
    var runs = runs
    runs.wallSeconds = seconds
    let share = "\(runs.runs.count) of \(count) networks"
    runs.interrupted =
      (isGoingOn ? "\(share) are complete so far" : "It was stopped after \(share)") + "; everything here is about those."
    if !isGoingOn { console.clear() }
    return runs
  }

  /// The autoencoder of a seed, as it was trained and centred.
  private struct Codes {
    let raw: PatchAutoencoder
    let centred: PatchAutoencoder

    init?(_ images: PatchImages, seed: UInt64, _ stopped: () -> Bool) {
      let patches = images.stacked
      let count = images.training * images.devices
      guard
        let raw = PatchAutoencoder.trained(
          on: patches, training: count, chance: Chance(seed: seed).fork("autoencoder"), isStopped: stopped)
      else { return nil }
      self.raw = raw
      centred = raw.centred(on: patches.taking((0..<Int32(min(count, 50_000))).map { $0 }))
    }
  }

  private func trained(_ way: Way, _ codes: Codes, _ seed: UInt64) -> (any PatchStrategy)? {
    switch way {
    case .lone(let isCentred): return LoneCodes(images, isCentred ? codes.centred : codes.raw)
    case .perceptrons(let start, let regime):
      let graph: DeviceGraph = regime == .ring ? .grid(images.devices) : .complete(images.devices)
      return Perceptrons(
        images, start.isCentred ? codes.centred : codes.raw, graph: graph, recipe: .init(start: start, fault: regime.fault),
        seed: seed, isStopped: stopped)
    case .heads(let hasCopies):
      return BackupHeads(images, codes.centred, recipe: .init(hasCopies: hasCopies), seed: seed, isStopped: stopped)
    case .joint(let kind):
      var recipe: JointCodes.Recipe =
        switch kind {
        case .faults: .init()
        case .faultless: .faultless
        case .silent: .silent
        }
      if isQuick { recipe.epochs *= 2 }
      return JointCodes(images, recipe: recipe, seed: seed, isStopped: stopped)
    }
  }

  private func measured(_ strategy: inout any PatchStrategy, _ faults: [Fault]) -> [Fault: Double]? {
    var errors: [Fault: Double] = [:]
    for fault in faults {
      let error: Double? =
        switch fault {
        case .none: strategy.risk(isStopped: stopped)
        case .oneDead: strategy.risk(dead: 1, isStopped: stopped)
        case .twoDead: strategy.risk(dead: 2, isStopped: stopped)
        case .linksThird: strategy.risk(links: .fixed(0.3), isStopped: stopped)
        case .linksMost: strategy.risk(links: .fixed(0.6), isStopped: stopped)
        }
      guard let error else { return nil }
      errors[fault] = error
    }
    return errors
  }

  /// The first images of the test rows, of every digit one, and what becomes of them; other devices die in every column.
  private func pictures(_ strategy: inout any PatchStrategy) -> PictureChart {
    let rows = Array(images.tested.prefix(8))
    func row(_ name: String, _ dead: (Int) -> [Int]) -> PictureChart.Row {
      let pictures = rows.enumerated().map { place, row -> PictureChart.Picture in
        let dead = dead(place)
        let image = strategy.reconstruct([row], dead: dead, links: .never)
        return picture(image, 0, dead)
      }
      return PictureChart.Row(name, pictures)
    }
    let (one, two) = (PatchChoices.all(1, of: images.devices), PatchChoices.all(2, of: images.devices))
    let truth = images.images.taking(rows)
    let originals = PictureChart.Row("original", rows.indices.map { picture(truth, $0, []) })
    return PictureChart(rows: [
      originals, row("no fault") { _ in [] }, row("one dead") { one[$0 % one.count] }, row("two dead") { two[$0 % two.count] },
    ])
  }

  private func picture(_ matrix: Matrix, _ row: Int, _ dead: [Int]) -> PictureChart.Picture {
    let frames = dead.map { device in
      let (x, y, width, height) = images.place(of: device)
      return PictureChart.Frame(x: x, y: y, width: width, height: height)
    }
    return PictureChart.Picture(
      width: images.shape.width, height: images.shape.height, pixels: images.bytes(of: matrix, row: row), frames: frames)
  }

  /// What a seed gave, in a line.
  private func summarise(_ seed: UInt64, _ runs: InternetLearningRuns) {
    let mine = runs.runs.filter { $0.seed == seed }
    let parts = Way.strategies.compactMap { way -> String? in
      guard let run = mine.first(where: { $0.way == way }) else { return nil }
      let errors = way.faults.compactMap { run.errors[$0].map { Numerals.decimal($0, places: 4) } }
      return "\(way.name) \(errors.joined(separator: " / "))"
    }
    console.say("seed \(seed): \(parts.joined(separator: "; "))")
  }
}
