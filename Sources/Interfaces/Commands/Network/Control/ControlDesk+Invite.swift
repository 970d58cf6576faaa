import Foundation
import MurmurControl
import MurmurHost
import MurmurIdentity
import MurmurLibrary
import MurmurScenario
import MurmurWire

/// What a peer hands on: where it is, and what it takes part in.
extension ControlDesk {
  func invite(_ loopback: Bool) async throws -> ControlAnswer.Invited {
    let seen = try await node.snapshot()
    let addresses = ControlDesk.reachable(seen.observed + seen.listening, loopback: loopback)
    guard !addresses.isEmpty else {
      throw Failure(
        "this peer listens nowhere, so that nobody could come; start it with --listen, such as --listen /ip4/0.0.0.0/tcp/4101")
    }
    let (session, needsRows) = ControlDesk.travelling(scenario, model: model)
    let text = try Invitation.write(
      session: session, begins: Int64(begins * 1_000), needsRows: needsRows, addresses: addresses, keys: keys)
    return ControlAnswer.Invited(
      invitation: text, session: scenario.name, addresses: addresses.map { "\($0)/p2p/\(keys.peerID)" },
      isLocal: addresses.allSatisfy { $0.reach == .loopback }, needsRows: needsRows)
  }

  /// Addresses that others can use, those of the internet first; those of this machine only if there are no others, or if wanted.
  static func reachable(_ addresses: [Multiaddr], loopback: Bool) -> [Multiaddr] {
    var kept: [Multiaddr] = []
    for reach in [Multiaddr.Reach.global, .named, .site, .link] {
      for address in addresses where address.reach == reach && !kept.contains(address) { kept.append(address) }
    }
    guard loopback || kept.isEmpty else { return Array(kept.prefix(8)) }
    for address in addresses where address.reach == .loopback && !kept.contains(address) { kept.append(address) }
    return Array(kept.prefix(8))
  }

  /// The session without what belongs to this machine, and whether whoever joins needs rows of its own.
  static func travelling(_ scenario: Scenario, model: String) -> (session: String, needsRows: Bool) {
    var plan = scenario.withoutRun
    (plan.network, plan.observe, plan.baselines) = (NetworkPlan(), ObservationPlan(), BaselinePlan())
    let isKnown = plan.data.set.count == 1 && plan.data.set.allSatisfy { Catalogue.entry(named: $0) != nil }
    if !isKnown {
      // Files do not travel, nor do their names; the model has to be said, since it would follow from them.
      plan.data = DataPlan()
      plan.model = .named(model)
    }
    return (plan.terse, !isKnown)
  }
}
