/// What a picture of a run, or of several, can show.
public enum Subject: String, Hashable, Sendable, CaseIterable {
  /// Test accuracy over time: mean, weakest and strongest peer, with *alone* and *central*.
  case accuracy
  /// Every peer's accuracy alone and together.
  case gain
  /// Accuracy of the strongest peer less that of the weakest, over time.
  case spread
  /// Peers online over time.
  case online
  /// Peers training and peers averaging, over time.
  case activity
  /// The share of averaging attempts whose outcome was kept, over time.
  case success
  /// From how many other peers a block can be fetched, over time.
  case resilience
  /// Bytes sent per peer, over time.
  case bytes
  /// Bytes sent by each peer in the whole session.
  case talkers
}

extension RunReport {
  /// The run's pictures, the most important first; only those for which something was recorded.
  public func figures() -> [Figure] {
    [Subject.accuracy, .gain, .online, .activity, .success, .resilience, .bytes].compactMap(figure)
  }

  /// The run's picture of `subject`; `nil` if nothing was recorded for it.
  public func figure(_ subject: Subject) -> Figure? {
    switch subject {
    case .accuracy: accuracy
    case .gain: peers
    case .online: online
    case .activity: activity
    case .success: success
    case .resilience: resilience
    case .bytes: bytes
    case .spread, .talkers: ComparisonReport(title: result.name, runs: [.init("this run", self)]).figure(subject)
    }
  }

  /// The values the accuracy is compared with.
  private var references: [LineChart.Reference] {
    var list: [LineChart.Reference] = []
    if let central = result.central { list.append(.init("central", value: central, tint: .central)) }
    if let alone = result.alone { list.append(.init("alone", value: alone.mean, tint: .alone)) }
    return list
  }

  private func points(_ value: (Series.Sample) -> Double?) -> [Point] {
    series.samples.compactMap { sample in value(sample).map { Point(sample.time, $0) } }
  }

  private var accuracy: Figure? {
    let mean = points { $0.accuracy?.mean }
    guard !mean.isEmpty else { return nil }
    let band = LineChart.Band(
      "from the weakest to the strongest peer", lower: points { $0.accuracy?.minimum }, upper: points { $0.accuracy?.maximum })
    let axis = Axis.accuracy([series], alone: result.alone?.mean, central: result.central)
    return Figure(
      "Accuracy over time",
      caption: """
        How many of the held-back test rows the peers' own models get right. “Alone” is what a peer reaches on its own rows only, \
        “central” is one model trained on everybody's rows in one place.\(axis.cutOff)
        """,
      chart: .line(
        LineChart(
          y: axis,
          lines: [.init("mean over peers", points: mean, band: band, tint: .together)], references: references)))
  }

  private var peers: Figure? {
    let pairs = result.peers.compactMap { peer -> PairChart.Pair? in
      guard let alone = peer.aloneAccuracy, let together = peer.accuracy else { return nil }
      return PairChart.Pair("peer \(peer.id)", alone, together)
    }
    guard pairs.count > 1 else { return nil }
    let central = result.central.map { [LineChart.Reference("central", value: $0, tint: .central)] } ?? []
    return Figure(
      "What each peer gained",
      caption: "Every peer twice: what it reaches alone (ring) and what it has after the session (dot).",
      chart: .pairs(
        PairChart(
          axis: Axis("test accuracy", unit: .percent, limits: 0...100),
          label: "\(Numerals.count(pairs.count, "peer")), the weakest alone first", first: .init("alone", tint: .alone),
          second: .init("together", tint: .together), pairs: pairs, references: central)))
  }

  private var online: Figure? {
    let online = points { $0.online.map(Double.init) }
    guard !online.isEmpty else { return nil }
    let all = result.peerCount > 0 ? [LineChart.Reference("all peers", value: Double(result.peerCount), tint: Tint(7))] : []
    return Figure(
      "Who was there",
      caption:
        "Peers that could send and receive at each moment. The others kept training on their own rows, cut off from the rest.",
      chart: .line(
        LineChart(
          y: Axis("peers online", unit: .whole, includes: [0]),
          lines: [.init("online", points: online, tint: .together, style: .steps)],
          references: all)))
  }

  private var resilience: Figure? {
    let mean = points { $0.resilience?.mean }
    guard !mean.isEmpty else { return nil }
    let band = LineChart.Band(
      "one standard deviation over blocks", lower: points { $0.resilience.map { max($0.minimum, $0.mean - $0.deviation) } },
      upper: points { $0.resilience.map { min($0.maximum, $0.mean + $0.deviation) } })
    return Figure(
      "Resilience",
      caption: "From how many other peers a stored block can be fetched: how many may vanish before something is lost.",
      chart: .line(
        LineChart(
          y: Axis("other peers that hold a block", includes: [0]), lines: [.init("mean", points: mean, band: band, tint: Tint(3))]
        )))
  }

  private var bytes: Figure? {
    let mean = points { $0.bytesPerPeer?.mean }
    guard !mean.isEmpty else { return nil }
    let band = LineChart.Band(
      "from the least to the most", lower: points { $0.bytesPerPeer?.minimum },
      upper: points { $0.bytesPerPeer?.maximum })
    return Figure(
      "What it cost to talk",
      caption: "Bytes each peer has sent since the beginning, announcements and models together.",
      chart: .line(
        LineChart(
          y: Axis("sent per peer", unit: .bytes, includes: [0]),
          lines: [.init("mean over peers", points: mean, band: band, tint: Tint(6))])))
  }

  private var activity: Figure? {
    let training = points { $0.training.map(Double.init) }
    let averaging = points { $0.averaging.map(Double.init) }
    guard !training.isEmpty || !averaging.isEmpty else { return nil }
    return Figure(
      "Training and averaging",
      caption: "What peers were busy with. Averaging includes fetching the models of others.",
      chart: .line(
        LineChart(
          y: Axis("peers", unit: .whole, includes: [0]),
          lines: [
            .init("training", points: training, tint: .together, style: .steps),
            .init("averaging", points: averaging, tint: .alone, style: .steps),
          ])))
  }

  private var success: Figure? {
    let shares = series.successShares()
    guard !shares.isEmpty else { return nil }
    let overall = result.averaging?.rate.map { [LineChart.Reference("overall", value: $0 * 100, tint: Tint(7))] } ?? []
    return Figure(
      "Averaging that was worth it",
      caption: "Of the times a peer combined its model with others', the share in which it kept the outcome.",
      chart: .line(
        LineChart(
          y: Axis("attempts whose outcome was kept", unit: .percent, includes: [0], limits: 0...100),
          lines: [.init("share kept", points: shares, tint: Tint(4))], references: overall)))
  }
}

extension Series {
  /// The percentage of averaging attempts whose outcome was kept, within each of about `windows` stretches of time: a share since the
  /// beginning would hide the end. Each stands in the middle of its stretch; where nobody tried there is none.
  public func successShares(windows: Int = 40) -> [Point] {
    let counted = samples.compactMap { sample -> (time: Double, attempts: Int, successes: Int)? in
      guard let attempts = sample.attempts, let successes = sample.successes else { return nil }
      return (sample.time, attempts, successes)
    }
    guard let end = counted.last, let start = counted.first else { return [] }
    let window = max((end.time - start.time) / Double(max(windows, 1)), 1e-9)
    var shares: [Point] = []
    var since = (time: start.time, attempts: 0, successes: 0)
    for sample in counted where sample.time - since.time >= window * (1 - 1e-9) || sample.time == end.time {
      let tried = sample.attempts - since.attempts
      if tried > 0 {
        shares.append(Point((sample.time + since.time) / 2, Double(sample.successes - since.successes) / Double(tried) * 100))
      }
      since = sample
    }
    return shares
  }
}
