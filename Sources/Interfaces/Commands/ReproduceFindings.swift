import MurmurMachines
import MurmurReports

/// What the paper reports, as far as it can be compared.
enum Learnae {
  /// Table 6: the spread of peers alone, in points.
  static let aloneSpread = 5.60
  /// Table 6: the spread together at 0, 20, 40, 60, 80 % offline.
  static let spreads: [(probability: Double, spread: Double)] = [(0, 3.04), (0.2, 2.39), (0.4, 2.52), (0.6, 2.36), (0.8, 3.15)]
  /// Table 7: mean accuracy alone and together in privacy mode, in percent.
  static let alone = 78.74
  static let together = 79.86
  /// Figure 9: how many of 20 peers a chunk can be fetched from, at the end.
  static let resilience = (holders: 6.0, peers: 20.0)
  /// Figure 14: the percentage of attempts that were kept, mean over peers and the highest at the end, and early on.
  static let kept = (mean: 10.0, most: 32.0, early: 70.0)
  /// Above this probability the paper found no gain with one epoch a cycle.
  static let limit = 0.8
  /// Who wrote it, and where it appeared.
  static let paper = """
    S. Nikolaidis, I. Refanidis: Using Distributed Ledger Technology to Democratize Neural Network Training (LEARNAE). Applied \
    Intelligence, 2021.
    """
}

/// The paper's findings, each held against ours by the rules of ``ReproduceRules``.
extension ReproduceRuns {
  typealias Finding = ReproductionReport.Finding
  typealias Policy = ReproducePlan.Policy

  /// Mean accuracy gained over alone, in points.
  func gain(_ data: String, _ policy: Policy, _ probability: Double) -> Sampled? {
    figure(data, policy, probability) { run in
      run.report.result.together.flatMap { together in run.report.result.alone.map { together.mean - $0.mean } }
    }
  }

  /// Spread lost against alone, in points.
  func narrowing(_ data: String, _ policy: Policy, _ probability: Double) -> Sampled? {
    figure(data, policy, probability) { run in
      run.report.result.together.flatMap { together in run.report.result.alone.map { $0.spread - together.spread } }
    }
  }

  private var usual: [Double] { plan.probabilities.filter { $0 < Learnae.limit } }
  private var hard: Double? { plan.probabilities.first { $0 >= Learnae.limit } }

  private func list(_ figures: [Sampled?], signed: Bool = true) -> String {
    figures.map { $0?.text(signed: signed) ?? Numerals.unknown }.joined(separator: " / ")
  }

  private func list(_ probabilities: [Double]) -> String {
    let numbers = probabilities.map { "\(Int(($0 * 100).rounded()))" }
    return numbers.joined(separator: "/") + " %"
  }

  func onlineFindings() -> [Finding] {
    guard let data = names.first else { return [] }
    let draws =
      plan.peers * max(Int((ReproducePlan.pace.seconds * Double(plan.cycles) / ReproducePlan.redraw.seconds).rounded()), 1)
    let policy = Policy.all.first { !runs(data, $0, plan.probabilities[0]).isEmpty } ?? .standard
    let shares = plan.probabilities.map { probability in
      figure(data, policy, probability) { $0.report.result.onlineMean.map { $0 / Double(plan.peers) } }
    }
    let seeds = shares.compactMap { $0?.values.count }.min() ?? 0
    return [
      Finding(
        "peers online at \(list(plan.probabilities)) offline", paper: "as drawn; no figure given",
        ours: shares.map { $0.map { Numerals.decimal($0.mean * Double(plan.peers)) } ?? Numerals.unknown }.joined(
          separator: " / "),
        outcome: ReproduceRules.asSet(zip(shares, plan.probabilities).map { ($0?.mean, $1) }, draws: draws * seeds),
        remark: "Holds if each is within three standard errors of what was set; it checks the disruption, not the learning.")
    ]
  }

  func accuracyFindings(_ policy: Policy) -> [Finding] {
    names.flatMap { data -> [Finding] in
      let gains = usual.map { gain(data, policy, $0) }
      var list = [
        Finding(
          "\(data): accuracy over alone at \(list(usual))", paper: "better than alone", ours: "\(list(gains)) points",
          outcome: ReproduceRules.better(gains),
          remark: "Holds if every gain is beyond two standard errors over seeds (with one seed: beyond a point).")
      ]
      if let hard {
        let gain = gain(data, policy, hard)
        list.append(
          Finding(
            "\(data): accuracy over alone at \(ReproducePlan.percent(hard))", paper: "not better than alone",
            ours: "\(self.list([gain])) points", outcome: ReproduceRules.notBetter(gain),
            remark: "Does not hold if ours is clearly better than alone even then, which is the better news."))
      }
      return list
    }
  }

  func spreadFindings(_ policy: Policy) -> [Finding] {
    names.map { data in
      let narrower = usual.map { narrowing(data, policy, $0) }
      return Finding(
        "\(data): spread below alone's at \(list(usual))", paper: "smaller than alone's",
        ours: "smaller by \(list(narrower, signed: false)) points",
        outcome: ReproduceRules.better(narrower), remark: "Judged like the accuracy.")
    }
  }

  func harmlessFindings(_ policy: Policy, spread: Bool) -> [Finding] {
    guard let hard, plan.probabilities.contains(0) else { return [] }
    return names.map { data in
      let change = difference(data, policy, from: 0, to: hard) {
        spread ? $0.report.result.together?.spread : $0.report.result.together?.mean
      }
      let loss = change.flatMap { change in Sampled(change.values.map { spread ? $0 : -$0 }) }
      let advantage = spread ? narrowing(data, policy, hard) : gain(data, policy, hard)
      let what = spread ? "spread" : "accuracy"
      return Finding(
        "\(data): \(what) at \(ReproducePlan.percent(hard)) against 0 %", paper: "80 % offline does not hurt",
        ours: "\(list([change])) points", outcome: ReproduceRules.harmless(loss: loss, advantage: advantage),
        remark:
          "Holds if at most half a point worse; in part if worse, but still clearly better than alone (\(list([advantage])) points)."
      )
    }
  }

  func resilienceFindings(_ policy: Policy) -> [Finding] {
    let wanted = Learnae.resilience.holders / Learnae.resilience.peers * Double(plan.peers)
    return names.map { data in
      let ours = plan.probabilities.map { probability in
        figure(data, policy, probability) { $0.report.result.resilience?.mean }
      }
      return Finding(
        "\(data): peers that hold a chunk at the end, at \(list(plan.probabilities))", paper: "6 of 20",
        ours: "\(list(ours, signed: false)) of \(plan.peers)",
        outcome: ReproduceRules.atLeast(ours.first.flatMap { $0?.mean }, paper: wanted),
        remark: "Judged by the first; in part from half of the paper's on. Ours looks at every peer's newest model only.")
    }
  }

  func traffic(_ policy: Policy) -> [Finding] {
    names.map { data in
      let ours = plan.probabilities.map { probability in figure(data, policy, probability) { $0.report.result.bytesSentPerPeer } }
      return Finding(
        "\(data): bytes sent per peer at \(list(plan.probabilities))", paper: Numerals.unknown,
        ours: ours.map { Numerals.bytes($0?.mean) }.joined(separator: " / "), outcome: .open,
        remark: "There is no value of the paper's to hold it against; models are of other sizes.")
    }
  }

  func activity(_ policy: Policy) -> [Finding] {
    names.map { data in
      let probability = plan.probabilities[0]
      func mean(_ value: @escaping (Series.Sample) -> Int?) -> Sampled? {
        figure(data, policy, probability) { run in
          Sampled(run.report.series.samples.compactMap { value($0).map(Double.init) })?.mean
        }
      }
      return Finding(
        "\(data): peers training and averaging at a time, nobody offline", paper: Numerals.unknown,
        ours: "\(list([mean(\.training)], signed: false)) and \(list([mean(\.averaging)], signed: false)) of \(plan.peers)",
        outcome: .open,
        remark: "The rest found no model that reports more than their own, and rested.")
    }
  }

  /// The percentage of attempts kept: the highest of the twentieths in the first quarter, and the mean of those in the last quarter.
  static func keptOverTime(_ run: Run) -> (early: Double?, late: Double?) {
    let shares = run.report.series.successShares(windows: 20)
    guard let end = run.report.series.samples.last?.time else { return (nil, nil) }
    let late = shares.filter { $0.x > end * 0.75 }.map(\.y)
    return (shares.filter { $0.x <= end * 0.25 }.map(\.y).max(), Sampled(late)?.mean)
  }

  func successFindings(_ policy: Policy) -> [Finding] {
    let probability = plan.probabilities[0]
    return names.flatMap { data -> [Finding] in
      let mean = figure(data, policy, probability) { Sampled($0.kept)?.mean }
      let most = figure(data, policy, probability) { $0.kept.max() }
      let early = figure(data, policy, probability) { Self.keptOverTime($0).early }
      let late = figure(data, policy, probability) { Self.keptOverTime($0).late }
      return [
        Finding(
          "\(data): averages kept, mean over peers (most)",
          paper: "\(Numerals.percent(Learnae.kept.mean, places: 0)) (\(Numerals.percent(Learnae.kept.most, places: 0)))",
          ours: "\(mean?.text() ?? Numerals.unknown) % (\(most?.text() ?? Numerals.unknown) %)",
          outcome: ReproduceRules.near(mean?.mean, paper: Learnae.kept.mean),
          remark: "Nobody offline. Judged by the mean: holds within a factor of two, in part within a factor of four."),
        Finding(
          "\(data): averages kept early on, and at the end",
          paper: "up to \(Numerals.percent(Learnae.kept.early, places: 0)), later less",
          ours: "up to \(early?.text() ?? Numerals.unknown) %, then \(late?.text() ?? Numerals.unknown) %",
          outcome: ReproduceRules.falls(early: early?.mean, late: late?.mean),
          remark: "The best twentieth of the session in its first quarter, against its last quarter; holds if half as much again."
        ),
      ]
    }
  }

  func tableSixFindings() -> [Finding] {
    names.flatMap { data in
      Policy.all.filter { $0 != .standard }.map { policy in
        let paper = Learnae.spreads.filter { plan.probabilities.contains($0.probability) }
        let ratios = paper.map { entry in
          figure(data, policy, entry.probability) { run in
            run.report.result.together.flatMap { together in run.report.result.alone.map { together.spread / $0.spread } }
          }
        }
        return Finding(
          "\(data), \(policy.epochs): spread as a share of alone's, at \(list(paper.map(\.probability)))",
          paper: paper.map { Numerals.decimal($0.spread / Learnae.aloneSpread, places: 2) }.joined(separator: " / "),
          ours: ratios.map { $0?.text(places: 2) ?? Numerals.unknown }.joined(separator: " / "),
          outcome: ReproduceRules.narrower(ratios.map { $0?.mean }, paper: paper.map { $0.spread / Learnae.aloneSpread }),
          remark: "Holds if every share is at most the paper's; in part if some are, or if all are below 1.")
      }
    }
  }

  func tableSevenFindings(_ policy: Policy) -> [Finding] {
    let wanted = Learnae.together - Learnae.alone
    let published = "\(Numerals.decimal(Learnae.alone, places: 2)) → \(Numerals.decimal(Learnae.together, places: 2)) %"
    var list = names.map { data in
      let probability = plan.probabilities[0]
      let alone = figure(data, policy, probability) { $0.report.result.alone?.mean }
      let together = figure(data, policy, probability) { $0.report.result.together?.mean }
      let gained = gain(data, policy, probability)
      return Finding(
        "\(data): mean accuracy, alone → together", paper: "\(published) (+\(Numerals.decimal(wanted, places: 2)))",
        ours:
          "\(alone?.text() ?? Numerals.unknown) → \(together?.text() ?? Numerals.unknown) % (\(self.list([gained])))",
        outcome: ReproduceRules.gains(gained, paper: wanted),
        remark: "Other data, other headroom: holds if at least as many points are gained; in part if fewer, but clearly some.")
    }
    if !names.contains("hepmass") {
      list.append(
        Finding(
          "hepmass, 20 peers × 5,000 rows: the paper's own", paper: published, ours: "not run", outcome: .open,
          remark: "The data set is 1.8 GB; with it on the machine, --data hepmass runs it."))
    }
    return list
  }
}

extension ReproducePlan.Policy {
  /// How many epochs, in words.
  var epochs: String {
    guard case .paper(let epochs) = self else { return name }
    return epochs == 1 ? "1 epoch" : "\(epochs) epochs"
  }
}
