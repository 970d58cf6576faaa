import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurPeer

/// Partners that were lost are looked for. Two halves of a network that fell apart may each have company enough, and would never
/// miss the other half; who remembers a lost partner finds it again as soon as there is a way.
extension NodeCore {
  /// A partner's connection is gone; if neither side wanted that, the partner is lost.
  func broke(_ peer: PeerID, _ why: ConnectionError) {
    switch why.reason {
    case .closedHere, .closedByPeer: return
    default: lost[peer] = now
    }
    guard lost.count > configuration.lostPartners,
      let oldest = lost.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
    else { return }
    lost[oldest.key] = nil
  }

  /// Dials one of them, now and then; while there is little company, at every look.
  func reunite() {
    guard !lost.isEmpty else { return }
    let partners = neighbours.values.count { $0.languages.contains(.collective) }
    guard reunionDue <= now || partners < configuration.degree else { return }
    reunionDue = now + configuration.reunion
    let tired = lost.filter { now - $0.value > .minutes(24 * 60) }.map(\.key)  // house:allow(order) every one is forgotten
    for peer in tired { lost[peer] = nil }
    let due = lost.keys.filter { peer in
      neighbours[peer] == nil && dials[peer].map { !$0.isActive && $0.notBefore <= now } ?? true
    }.sorted()
    guard !due.isEmpty else { return }
    dial(due[peerChance.below(due.count)])
  }
}
