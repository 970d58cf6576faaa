import Foundation
import MurmurControl
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import MurmurWire
import NIOPosix
import Synchronization

/// The running peer's control socket.
extension RunningPeer {
  /// Lets its owner ask it, if a store or `--control` says where.
  func openControl(_ plan: OwnPlan, _ scenario: Scenario, _ keys: KeyPair) async throws {
    guard let place = try ControlPlace.chosen(store: plan.store, control: plan.control, environment: [:]) else { return }
    let desk = ControlDesk(
      node: node, keys: keys, store: store, scenario: scenario, model: setup.session.model, begins: plan.begins, feeds: feeds)
    // A loop of its own, so that files on their way do not hold up the peer's.
    let server = try await ControlServer.open(place, group: desk.group) { request, line in
      try await desk.answer(request, line)
    }
    control.withLock { $0 = (server, desk) }
  }

  /// Answers nobody any more.
  func closeControl() {
    let open = control.withLock { control in
      defer { control = nil }
      return control
    }
    open?.server.close()
    open?.desk.close()
  }
}

extension OwnPlan {
  /// Takes over what an invitation says, as far as nothing else was said.
  mutating func accept(_ text: String, begins given: Double?) throws {
    let invitation: Invitation
    do { invitation = try Invitation(parsing: text) } catch { throw Failure("--invitation: \(error)") }
    let scenario: Scenario
    do { scenario = try Scenario(yaml: invitation.session, file: "the invitation") } catch {
      throw Failure("--invitation: its session cannot be read, perhaps because it was written by another version: \(error)")
    }
    guard !invitation.needsRows || data != nil else {
      throw Failure("--invitation: the rows of session '\(scenario.name)' do not travel; bring your own with --data FILE")
    }
    session = "the invitation"
    invited = scenario
    begins = given ?? Double(invitation.begins) / 1_000
    join += invitation.entrances
    let over = Date().timeIntervalSince1970 - begins - scenario.session.length.seconds
    if over > 0 {
      Console().say("session '\(scenario.name)' has been over for \(Amount.time(over)); its models are served all the same")
    }
  }
}
