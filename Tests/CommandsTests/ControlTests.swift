import Foundation
import Testing

/// The commands that ask a running peer, with real peers on this machine.
@Suite("Commands over a running peer", .serialized, .timeLimit(.minutes(3)))
struct ControlTests {
  /// A folder with a session that outlasts the tests: small models, slow cycles.
  static func folder() throws -> Folder {
    let folder = try Folder()
    try folder.write(
      "name: flock\npeers: {count: 4}\nmodel: {hidden: 16}\nsession: {length: 20 min, cycle: 500 ms}\n", to: "s.yaml")
    return folder
  }

  /// Bytes that are the same in every run.
  static func bytes(_ count: Int, seed: UInt64 = 1) -> Data {
    var word = seed
    return Data(
      (0..<count).map { _ in
        word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: word >> 33)
      })
  }

  @Test("Files go into one peer and come out of another; who is there and who has what is to be seen")
  func filesAndPeers() throws {
    let folder = try ControlTests.folder()
    let one = try LivePeer(folder, "one", ["--number", "0"])
    let two = try LivePeer(folder, "two", ["--number", "1", "--join", one.address])
    let large = ControlTests.bytes(3_000_000)
    try large.write(to: URL(fileURLWithPath: folder.path + "/large"))
    try folder.write("hello world\n", to: "small")

    // The name that `ipfs add --cid-version=1` gives these twelve bytes.
    let name = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
    #expect(try one.answer(["add", "small"]) == name)
    let both = try one.answer(["add", "small", "large", "--provide"]).split(separator: "\n")
    #expect(both.count == 2 && both[0] == "\(name) small" && both[1].hasSuffix(" large"))
    let root = String(both[1].prefix { $0 != " " })
    #expect(root.hasPrefix("bafybei"))

    let peers = try two.answer(["peers", "--json"], until: { $0.contains(try! one.identity) })
    let known = try #require(try JSONSerialization.jsonObject(with: Data(peers.utf8)) as? [String: [[String: Any]]])
    let first = try #require(known["peers"]?.first)
    #expect(first["agent"] as? String == "murmur/0.1" && (first["roundTrip"] as? Double ?? 0) > 0)
    #expect((first["protocols"] as? [String])?.contains("/murmur/collective/1") == true)
    #expect(try two.answer(["peers"]).contains("session blocks"))

    #expect(try two.answer(["cat", name]) == "hello world")
    let program = Program(folder: folder)
    let out = try program.run(after: "exec >fetched", ["cat", root, "--store", "two"])
    #expect(out.code == 0 && out.errors.isEmpty, "\(out.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/fetched")) == large)
    let piped = try program.run(after: "exec <large", ["add", "-", "--store", "one"])
    #expect(piped.output == root + "\n", "\(piped.errors)")
    // Whoever reads may have had enough: that is no failure.
    let short = try program.run(after: "mkfifo pipe; head -c 10 <pipe >/dev/null & exec >pipe", ["cat", root, "--store", "one"])
    #expect(short.code == 0 && short.errors.isEmpty && !short.wasKilled, "\(short.errors)")

    #expect(try two.answer(["find", one.identity]).contains(try one.address))
    #expect(try two.answer(["find", root], until: { $0.contains(try! one.identity) }).contains("/p2p/"))
    #expect(try one.answer(["find", one.identity]).hasSuffix(try one.identity))
  }

  @Test("What is pinned is there after kill -9, what is not pinned any more may go; a peer goes on from its newest model")
  func killed() throws {
    let folder = try ControlTests.folder()
    try ControlTests.bytes(1_000_000, seed: 2).write(to: URL(fileURLWithPath: folder.path + "/file"))
    let begins = "\(Date().timeIntervalSince1970)"
    var one = try LivePeer(folder, "one", ["--number", "0", "--begins", begins])
    let two = try LivePeer(folder, "two", ["--number", "1", "--begins", begins, "--join", one.address])
    let root = try one.answer(["add", "file"])
    #expect(try two.answer(["pin", root]) == root)
    let identity = try one.identity
    let cycle = try #require(try one.news("cycle")["cycle"] as? Int)
    one.kill()
    two.kill()
    try FileManager.default.removeItem(atPath: folder.path + "/file")

    one = try LivePeer(folder, "one", ["--number", "0", "--begins", begins])
    #expect(try one.identity == identity)
    let pins = try one.answer(["pin", "list"])
    #expect(pins.contains(root) && pins.contains("1.0 MB"))
    let again = try Program(folder: folder).run(after: "exec >again", ["cat", root, "--store", "one"])
    #expect(again.code == 0, "\(again.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/again")) == ControlTests.bytes(1_000_000, seed: 2))
    #expect(try one.answer(["pin", root, "--remove"]) == root)
    #expect(!(try one.answer(["pin", "list"])).contains(root))
    let twice = try one.ask(["pin", root, "--remove"])
    #expect(twice.code == 1 && twice.errors.contains("was not pinned"))
    let next = try #require(try one.news("cycle")["cycle"] as? Int)
    #expect(next > cycle, "it begins at cycle \(next), and was at \(cycle) before")
  }

  @Test("An invitation is enough to join, although the first peer of the session is dead")
  func invitation() throws {
    let folder = try ControlTests.folder()
    let first = try LivePeer(folder, "first", ["--number", "0"])
    let second = try LivePeer(folder, "second", ["--number", "1", "--join", first.address])
    _ = try second.answer(["peers", "--json"], until: { $0.contains(try! first.identity) })
    let invited = try second.ask(["invite", "--out", "code.svg"])
    #expect(invited.code == 0 && invited.errors.contains("only programs of this machine"), "\(invited.errors)")
    let text = invited.output.trimmingCharacters(in: .newlines)
    #expect(text.hasPrefix("murmur:") && text.count < 600)
    #expect(try folder.text("code.svg").hasPrefix("<svg"))
    first.kill()

    let elsewhere = try Folder()
    let third = try LivePeer(elsewhere, "third", ["--number", "2"], session: ["--invitation", text])
    let peers = try third.answer(["peers", "--json"], until: { $0.contains(try! second.identity) })
    #expect(peers.contains("/murmur/collective/1"))
    let invitation = try third.answer(["invite", "--json"])
    #expect(invitation.contains("\"session\":\"flock\""))

    // A letter in the middle of the signature; its last ones are often the same.
    var letters = Array(text)
    letters[letters.count - 40] = letters[letters.count - 40] == "a" ? "b" : "a"
    for (changed, words) in [
      (String(letters), "ask for it again"), ("murmur:", "ask for it again"),
      (text, "--number"),
    ] {
      let refused = try Program(folder: elsewhere).run(["peer", "--invitation", changed])
      #expect(refused.code == 1 && refused.errors.contains(words), "\(refused.errors)")
    }
  }

  @Test("The doctor asks a connected peer to dial back, and says what that is worth")
  func doctor() throws {
    let folder = try ControlTests.folder()
    let one = try LivePeer(folder, "one", ["--number", "0"])
    let lonely = try one.ask(["doctor"])
    #expect(
      lonely.code == 1 && lonely.output.contains("connected to nobody") && lonely.output.contains("--join"), "\(lonely.output)")
    let two = try LivePeer(folder, "two", ["--number", "1", "--join", one.address])
    let text = try one.answer(["doctor", "--json"], until: { $0.contains("dialled back") })
    let findings = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: String]])
    #expect(!findings.contains { $0["level"] == "problem" }, "\(text)")
    #expect(text.contains("only for programs of this machine") && text.contains("what holds beyond this machine is not known"))
    #expect(text.contains("clock agrees") && text.contains("its disk has"))
    let warnings = findings.filter { $0["level"] != "ok" }
    #expect(warnings.allSatisfy { $0["fix"]?.isEmpty == false })
    let port = try #require(try two.address.split(separator: "/").dropFirst(3).first)
    let taken = try Program(folder: folder).run(["doctor", "--listen", "/ip4/127.0.0.1/tcp/\(port)"])
    #expect(taken.code == 1 && taken.output.contains("another program listens at port \(port)"), "\(taken.output)")
    two.kill()
    let gone = try Program(folder: folder).run(["doctor", "--store", "two", "--listen", "/ip4/127.0.0.1/tcp/0"])
    #expect(gone.code == 0 && gone.output.contains("is free to be opened"), "\(gone.output)")
  }

  @Test("A second peer on a store, and what no peer can do, are refused in words that help")
  func refusals() throws {
    let folder = try ControlTests.folder()
    try folder.write("x", to: "file")
    let bare = Program(folder: folder)
    for (arguments, words) in [
      (["peers"], "--store DIR"), (["peers", "--store", "nowhere"], "no peer runs there"),
      (["add", "nothing", "--store", "one"], "no such file"),
      (["add", ".", "--store", "one"], "this is a folder"), (["invite", "--out", "code.png", "--store", "one"], "only SVG"),
      (["cat", "x", "--store", "one", "--timeout", "0"], "--timeout"),
      (["peer", "--session", "s.yaml", "--number", "0", "--control", String(repeating: "x", count: 120)], "--control"),
      (["peer", "--number", "0"], "--invitation"),
    ] {
      let finished = try bare.run(arguments)
      #expect(finished.code == 1 && finished.errors.contains(words), "\(arguments): \(finished.errors)")
    }
    let one = try LivePeer(folder, "one", ["--number", "0"])
    let second = try bare.run(["peer", "--session", "s.yaml", "--number", "1", "--store", "one"])
    #expect(second.code == 1 && second.errors.contains("in use by process"), "\(second.errors)")
    for (arguments, words) in [
      (["cat", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "--timeout", "0.5"], "could not be had"),
      (["cat", "nonsense"], "give a CID"), (["find", "nonsense"], "neither a peer"),
      (["pin", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "--remove"], "was not pinned"),
    ] {
      let finished = try one.ask(arguments)
      #expect(finished.code == 1 && finished.errors.contains(words), "\(arguments): \(finished.errors)")
    }
  }
}
