import MurmurCompute
import MurmurMachines
import MurmurSessions

/// Watches over overfitting, together: whether the averages that peers train from still get better on rows nobody trains on.
///
/// One peer's few validation rows say little, but every announcement carries the loss that its owner measured on its own, so their
/// mean over the directory speaks for the rows of all. While it falls, the best average so far is remembered. When it has not
/// fallen for a tenth of the session, learning goes on from the best average at half the rate: what early stopping with a falling
/// rate does for one model (Prechelt 1998), without anybody deciding for all.
struct Vigil: Sendable {
  /// How often the learning rate was halved.
  private(set) var halvings: UInt32 = 0
  /// How often it is halved at most; more than that is no learning any more.
  static let halvingLimit: UInt32 = 30
  private var smooth: Double?
  private var least = Double.infinity
  private var best: ParameterVector?
  private var since: UInt32 = 0

  /// What the learning rate is multiplied by.
  var rateFactor: Double { 1 / Double(1 << halvings) }

  /// A newcomer goes on where the others are: at the median of their rates. At the first rate it would undo in a cycle what they
  /// have refined since.
  mutating func join(_ others: [UInt32]) {
    guard smooth == nil, least == .infinity, others.count >= Vigil.quorum else { return }
    halvings = min(others.sorted()[others.count / 2], Vigil.halvingLimit)
  }

  /// How many announcements speak for the network.
  static let quorum = 3

  /// Takes in the network's present loss and the average it was measured on; returns the parameters to go on from, if others.
  mutating func watch(loss: Double, ground: ParameterVector, cycle: UInt32, patience: UInt32) -> ParameterVector? {
    let present = smooth.map { $0 + (loss - $0) / 4 } ?? loss
    smooth = present
    if present < least * 0.999 {
      (least, best, since) = (present, ground, cycle)
    } else if cycle >= since + patience, let best {
      halvings = min(halvings + 1, Vigil.halvingLimit)
      since = cycle
      smooth = nil
      return best
    }
    return nil
  }

  /// The best average so far, if the network's loss has risen above what it was there.
  func better(than share: Double) -> ParameterVector? {
    guard let smooth, smooth > least * (1 + share) else { return nil }
    return best
  }
}

extension Collective {
  /// Looks at the losses that others announced and at one's own, and goes back to the best average where they say so.
  mutating func watch(_ result: WorkResult, at now: Instant) {
    guard let ground = result.ground, session.training.watchful, role == .full else { return }
    groundLoss = Float(ground.evaluation.loss)
    let recent = now + session.cycle * -10
    var losses = [ground.evaluation.loss]
    for entry in directory.entries
    where entry.announcement.made.nanoseconds >= recent.nanoseconds && entry.announcement.groundLoss > 0 {
      losses.append(Double(entry.announcement.groundLoss))
    }
    guard losses.count > Vigil.quorum else { return }
    // The median, so that a few liars do not stop a session.
    losses.sort()
    let middle = losses[losses.count / 2 - (losses.count % 2 == 0 ? 1 : 0)...losses.count / 2]
    let loss = middle.reduce(0, +) / Double(middle.count)
    let cycles = UInt32(max(session.length.seconds / session.cycle.seconds, 1))
    guard trainsThisCycle else { return }
    if let best = vigil.watch(loss: loss, ground: ground.parameters, cycle: cycle, patience: max(cycles / 10, 4)) {
      parameters = best
      optimizer.reset()
    }
  }
}

extension Session.Training {
  /// Passes over that many rows in one training cycle: as the session says, or as many as make about a dozen optimiser steps.
  func passes(rows: Int) -> Int {
    let steps = max((rows + batch - 1) / max(batch, 1), 1)
    return epochs ?? max(1, (Session.Training.stepsPerCycle + steps / 2) / steps)
  }
}
