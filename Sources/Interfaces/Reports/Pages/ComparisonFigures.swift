extension ComparisonReport {
  /// The pictures, all runs in each; only those for which something was recorded.
  public func figures() -> [Figure] {
    [Subject.accuracy, .spread, .online, .success, .resilience, .bytes].compactMap(figure)
  }

  /// The picture of `subject` with all runs in it; `nil` if nothing was recorded, or for ``Subject/gain`` and ``Subject/activity``,
  /// which show one run at a time.
  public func figure(_ subject: Subject) -> Figure? {
    switch subject {
    case .gain, .activity: return nil
    case .accuracy: return accuracy
    case .spread: return spread
    case .talkers: return talkers
    case .online:
      return figure(
        "Who was there", "Peers that could send and receive at each moment.", Axis("peers online", unit: .whole, includes: [0]),
        style: .steps, points: points { $0.online.map(Double.init) })
    case .success:
      return figure(
        "Averaging that was worth it",
        "Of the times a peer combined its model with others', the share in which it kept the outcome.",
        Axis("attempts whose outcome was kept", unit: .percent, includes: [0], limits: 0...100),
        points: runs.map { $0.report.series.successShares(windows: 20) })
    case .resilience:
      return figure(
        "Resilience", "From how many other peers a stored block can be fetched, mean over blocks.",
        Axis("other peers that hold a block", includes: [0]), points: points { $0.resilience?.mean })
    case .bytes:
      return figure(
        "What it cost to talk", "Bytes sent since the beginning, mean over peers.",
        Axis("sent per peer", unit: .bytes, includes: [0]), points: points { $0.bytesPerPeer?.mean })
    }
  }

  private var accuracy: Figure? {
    let baseline = runs.first?.report.result
    var references: [LineChart.Reference] = []
    if let central = baseline?.central { references.append(.init("central", value: central, tint: .central)) }
    if let alone = baseline?.alone { references.append(.init("alone", value: alone.mean, tint: .alone)) }
    let axis = Axis.accuracy(runs.map(\.report.series), alone: baseline?.alone?.mean, central: baseline?.central)
    var bands: [LineChart.Band] = []
    if runs.count <= 2 {
      bands = zip(points { $0.accuracy?.minimum }, points { $0.accuracy?.maximum })
        .map { LineChart.Band("its weakest to strongest peer", lower: $0, upper: $1) }
    }
    return figure(
      "Accuracy over time", "Mean over peers of how many held-back test rows their own models get right.\(axis.cutOff)",
      axis, references, bands: bands, points: points { $0.accuracy?.mean })
  }

  private var spread: Figure? {
    figure(
      "Disagreement between peers", "Accuracy of the strongest peer less that of the weakest, in points.",
      Axis("spread, points", includes: [0]),
      runs.first?.report.result.alone.map { [.init("alone", value: $0.spread, tint: .alone)] } ?? [],
      points: points { $0.accuracy?.spread })
  }

  /// Bytes over ranks: lines, since a bar for each of many peers and runs could not be read.
  private var talkers: Figure? {
    let ranked = runs.map { run in
      run.report.result.peers.map { Double($0.bytesSent) }.sorted().enumerated().map { Point(Double($0.offset + 1), $0.element) }
    }
    var figure = figure(
      "Who talked how much", "Bytes sent by each peer in the whole session, the most silent peer first.",
      Axis("sent in the session", unit: .bytes, includes: [0]), style: .dots, points: ranked)
    if case .line(var chart) = figure?.chart {
      chart.x = Axis("peers, the most silent first", unit: .whole)
      figure?.chart = .line(chart)
    }
    return figure
  }

  /// A value over time, for each run.
  private func points(_ value: (Series.Sample) -> Double?) -> [[Point]] {
    runs.map { run in run.report.series.samples.compactMap { sample in value(sample).map { Point(sample.time, $0) } } }
  }

  /// A picture with one line for each run that has points.
  private func figure(
    _ title: String, _ caption: String, _ axis: Axis, _ references: [LineChart.Reference] = [],
    style: LineChart.Style = .straight, bands: [LineChart.Band] = [], points: [[Point]]
  ) -> Figure? {
    let lines = runs.indices.compactMap { index -> LineChart.Line? in
      guard !points[index].isEmpty else { return nil }
      let band = index < bands.count ? bands[index] : nil
      return .init(runs[index].label, points: points[index], band: band, tint: .runs(index), style: style)
    }
    guard !lines.isEmpty else { return nil }
    return Figure(title, caption: caption, chart: .line(LineChart(y: axis, lines: lines, references: references)))
  }
}

extension Tint {
  /// Colours for runs beside the reference lines: never those of *alone* and *central* while others are free.
  static func runs(_ index: Int) -> Tint { Tint([0, 3, 5, 4, 6, 7, 1, 2][((index % 8) + 8) % 8]) }
}
