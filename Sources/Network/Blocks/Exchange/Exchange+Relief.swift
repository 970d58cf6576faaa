internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// The end of a fetch: every block is asked for, fast peers have given theirs, and slow ones still owe.
extension Exchange {
  /// Has the fastest idle peer take over from the slowest busy one as many blocks as let both end at the same time, if that is worth
  /// it: the last asked first, since those have the longest way to go.
  mutating func relieve(_ index: Int, _ now: Instant, _ effects: inout Effects<Effect>) {
    guard fetches[index].unasked == 0, let fast = fastestIdle(index, now), let slow = slowestBusy(index, now) else { return }
    let quick = fetches[index].sources[fast].pace(now)
    let lame = fetches[index].sources[slow].pace(now)
    let owed = Int(fetches[index].sources[slow].outstanding)
    guard lame * Double(owed) > 2 * quick + 0.05 else { return }
    let share = max(1, Int(Double(owed) * lame / (lame + quick)))
    let (mine, other) = (UInt64(1) << UInt64(slow), UInt64(1) << UInt64(fast))
    var lines: [BitswapMessage.Want] = []
    for place in fetches[index].wants.indices.reversed() where lines.count < share {
      let want = fetches[index].wants[place]
      guard want.asked == mine, want.lacking & other == 0 else { continue }
      fetches[index].withdraw(place, from: slow)
      lines.append(BitswapMessage.Want(want.cid, .cancel, priority: 0, sendDontHave: false))
    }
    guard !lines.isEmpty else { return }
    statistics.relieved += lines.count
    send(BitswapMessage(wants: lines), to: fetches[index].sources[slow].peer, &effects)
    ask(fast, of: index, most: min(lines.count, Int(fetches[index].sources[fast].window)), now, &effects)
  }

  private func fastestIdle(_ index: Int, _ now: Instant) -> Int? {
    var best: Int?
    for (place, source) in fetches[index].sources.enumerated() {
      guard !source.isGone, !source.isBusy, source.failures == 0, source.given > 0 else { continue }
      if best.map({ source.pace(now) < fetches[index].sources[$0].pace(now) }) ?? true { best = place }
    }
    return best
  }

  private func slowestBusy(_ index: Int, _ now: Instant) -> Int? {
    var worst: Int?
    var longest = 0.0
    for (place, source) in fetches[index].sources.enumerated() where source.outstanding > 0 {
      let time = source.pace(now) * Double(source.outstanding)
      if time > longest {
        worst = place
        longest = time
      }
    }
    return worst
  }
}

extension Fetch.Source {
  /// Seconds a block, since it was asked first; of a peer that gave none, what it has taken for the first so far.
  fileprivate func pace(_ now: Instant) -> Double { (now - since).seconds / Double(max(given, 1)) }
}
