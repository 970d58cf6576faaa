import MurmurControl
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

@Suite("Invitations")
struct InvitationTests {
  static let keys = KeyPair(seed: .sha256(of: Array("inviter".utf8)))
  static let addresses = ["/ip4/192.0.2.7/tcp/4101", "/ip6/2001:db8::7/tcp/4101"]

  static func text(_ session: String = "{name: digits}") throws -> String {
    try Invitation.write(
      session: session, begins: 1_790_000_000_123, needsRows: true, addresses: addresses.map { try Multiaddr(parsing: $0) },
      keys: keys)
  }

  @Test("One string holds who invites, where, to what and since when; capitals and blanks do not matter")
  func roundTrip() throws {
    let text = try InvitationTests.text()
    #expect(text.hasPrefix("murmur:") && text.count < 350)
    let broken = text.uppercased().enumerated().map { $0.offset % 60 == 59 ? "\($0.element)\r\n " : "\($0.element)" }.joined()
    for copy in [text, text.uppercased(), broken, "  \(text)\n"] {
      let invitation = try Invitation(parsing: copy)
      #expect(invitation.inviter == InvitationTests.keys.peerID)
      #expect(invitation.session == "{name: digits}" && invitation.begins == 1_790_000_000_123 && invitation.needsRows)
      #expect(invitation.addresses.map { "\($0)" } == InvitationTests.addresses)
      #expect(
        invitation.entrances.map { "\($0)" } == InvitationTests.addresses.map { "\($0)/p2p/\(InvitationTests.keys.peerID)" })
    }
  }

  @Test("A letter that was changed, left out or doubled is noticed")
  func tampering() throws {
    let letters = Array(try InvitationTests.text())
    var chance = Chance(seed: 3)
    for round in 0..<300 {
      var copy = letters
      let place = 7 + chance.below(copy.count - 7)
      switch round % 3 {
      case 0: copy[place] = copy[place] == "a" ? "b" : "a"
      case 1: copy.remove(at: place)
      default: copy.insert(copy[place], at: place)
      }
      #expect(throws: WireError.self, "seed 3, round \(round): \(String(copy))") { try Invitation(parsing: String(copy)) }
    }
  }

  @Test("What is no invitation, or too long for one, is refused with what to do")
  func refuses() throws {
    for (text, words) in [
      ("", "copy the whole line"), ("murmur", "copy the whole line"), ("http://example.org", "copy the whole line"),
      ("murmur:!", "no letter"), ("murmur:", "ask for it again"), ("murmur:aaaa", "ask for it again"),
      (String(repeating: "a", count: 50_000), "at most"),
    ] {
      let error = #expect(throws: WireError.self) { try Invitation(parsing: text) }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words), "\(text.prefix(20)): \(String(describing: error))")
    }
    #expect(throws: WireError.self) { try InvitationTests.text(String(repeating: "x", count: 20_000)) }
  }

  @Test("No text crashes the reader")
  func fuzz() throws {
    var chance = Chance(seed: 4)
    let seed = Array(try InvitationTests.text().utf8)
    for _ in 0..<Effort.inputs / 4 {
      let text = String(decoding: mutated(seed, &chance), as: UTF8.self)
      do { _ = try Invitation(parsing: text) } catch { continue }
    }
  }
}
