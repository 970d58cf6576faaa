import Testing

/// A rule that cannot fail guards nothing: every rule is shown something to find and something to leave alone.
@Suite("The rules")
struct RuleTests {
  private func file(_ text: String, _ path: String = "Sources/Learning/Flock/Flock.swift") -> SourceFile {
    SourceFile(path, text)
  }
  private func room(_ imports: [String], _ kind: Plan.Kind = .pure) -> Plan.Room {
    Plan.Room(
      target: "MurmurFlock", folder: "Sources/Learning/Flock", kind: kind, imports: imports, testedIn: ["FlockTests"], line: 9)
  }

  @Test("An import that the plan does not list is named with its line and the remedy")
  func imports() throws {
    let text =
      "public import MurmurWire\n// import Foundation\nimport struct Foundation.Date\n@preconcurrency import MurmurPeer\n"
    let found = ImportRules.check(file(text), in: room(["MurmurWire"]))
    #expect(found.map(\.line) == [3, 4])
    #expect(
      try #require(found.last).description.hasPrefix(
        "Sources/Learning/Flock/Flock.swift:4: [imports] MurmurFlock may not import MurmurPeer. "))
    #expect(ImportRules.check(file(text), in: room(["MurmurWire", "MurmurPeer", "Foundation"])).isEmpty)
  }

  @Test("Foundation stands in for FoundationEssentials only where that is missing")
  func essentials() {
    let fallback = "#if canImport(FoundationEssentials)\n  import FoundationEssentials\n#else\n  import Foundation\n#endif\n"
    #expect(ImportRules.check(file(fallback), in: room(["FoundationEssentials"])).isEmpty)
    #expect(ImportRules.check(file("import Foundation\n"), in: room(["FoundationEssentials"])).count == 1)
  }

  @Test("A kernel has no use for files and threads")
  func kernels() {
    let kernel = file("#include <math.h>\n#include <pthread.h>\n", "Sources/Compute/Kernels/a.c")
    #expect(ImportRules.check(kernel, in: room([], .c)).map(\.line) == [2])
  }

  @Test(
    "Impure code is found",
    arguments: [
      "let now = ContinuousClock.now", "let now = Date()", "let key = Curve25519.Signing.PrivateKey()", "Int.random(in: 0..<9)",
      "peers.randomElement()", "peers.shuffled()", "peers.shuffle()", "print(peers)", "Task { }", "await peer.step()",
      "Thread.sleep(1)",
      "FileManager.default", "let seed = peer.hashValue", "var a = SystemRandomNumberGenerator()", "let id = UUID()",
      "\"\\(Date())\"",
      "actor Peer {}", "getenv(\"A\")",
    ])
  func impure(_ text: String) {
    #expect(!PurityRules.check(file(text)).isEmpty, "\(text)")
  }

  @Test(
    "Pure code is left alone",
    arguments: [
      "let update = Update(when: now)", "Int.random(in: 0..<9, using: &chance)", "chance.shuffle(&peers)",
      "peers.shuffled(using: &chance)",
      "// print(peers)", "\"print(peers)\"", "enum Task { case idle }\nlet a: Task = .idle", "table.dump()",
      "let print: Codec\n_ = print(3)",
      "func hash(into hasher: inout Hasher) {}", "let threads = 3",
    ])
  func pure(_ text: String) {
    #expect(PurityRules.check(file(text)).isEmpty, "\(text)")
  }

  @Test("The C library's elementary functions are found, ours and the kernels' are not")
  func bits() {
    let text =
      "let a = exp(x)\nlet b = Portable.exp(x)\nlet c = Foundation.log(x)\nlet d = Double.pow(x, 2)\nfunc log(_ x: Double) {}\nKernels.exp(v)\n"
    #expect(PurityRules.elementaryFunctions(file(text)).map(\.line) == [1, 3, 4])
  }

  @Test(
    "Walking through a dictionary or a set is found",
    arguments: [
      "for peer in a.values { b(peer) }", "let first = a.keys.first", "let list = Array(a.values)",
      "let b = a.values.max { $0.c < $1.c }",
      "var d: Set<Int> = []\nfor e in d { b(e) }", "var d: [Int: Peer] = [:]\nlet f = d.map { $0 }",
      "let d = Set<Int>()\nlet f = d.first",
      "var d = [Int: Peer]()\nfor (g, h) in self.d { b(g) }", "let d: Set<Int>\nfor e in d where e > 0 { b(e) }",
    ])
  func unordered(_ text: String) {
    let file = file(text)
    #expect(OrderRules.check(file, names: OrderRules.names(file)).count == 1, "\(text)")
  }

  @Test(
    "Sorting first, asking for membership, or a sum of whole numbers is no decision",
    arguments: [
      "for key in a.keys.sorted() { b(key) }", "let c = a.values.map { $0.d }.sorted()", "let n = a.values.reduce(0, +)",
      "let most = a.values.max()", "var d: Set<Int> = []\nif d.contains(3) { }", "var d: [[Int]] = []\nfor e in d { }",
      "var d: [Int: Int] = [:]\nfor e in other.d { }", "var d: [(a: Int, b: Int)] = []\nd.map { $0 }",
      "for key in a.sorted(by: c) { }",
      "for n in a.values { total += n }  // house:allow(order) a sum of whole numbers", "let set = Set(a.keys)",
      "var d: Set<Int> = []\nfor e in d.sorted() { }", "var d: Set<Int> = []\nfor e in list where !d.contains(e) { }",
    ])
  func ordered(_ text: String) {
    let file = file(text)
    #expect(OrderRules.check(file, names: OrderRules.names(file)).isEmpty, "\(text)")
  }

  @Test("Long files and long functions are found, data with a reason is not")
  func sizes() {
    let long = String(repeating: "let a = 3\n", count: 501)
    #expect(SizeRules.check(file(long)).map(\.rule) == [.size])
    #expect(SizeRules.check(file("// house:allow-file(size) the rows of a table\n" + long)).isEmpty)
    #expect(SizeRules.check(file("// house:allow-file(size)\n" + long)).count == 1)
    #expect(SizeRules.check(SourceFile("Sources/a.pb.swift", long)).isEmpty)
    let body = String(repeating: "  b()\n", count: 69)
    #expect(SizeRules.check(file("\nfunc a() {\n\(body)}\n")).map(\.line) == [2])
    #expect(SizeRules.check(file("func a() {\n\(body.dropFirst(6))}\n")).isEmpty)
    #expect(SizeRules.check(SourceFile("a.c", "void a(void) {\n\(body)}\n")).map(\.rule) == [.functions])
  }

  @Test("Tests that peek, wait or gamble are found")
  func tests() {
    let text =
      "@testable import MurmurPeer\nawait Task.sleep(for: .seconds(1))\nlet a = Int.random(in: 0..<3)\nlet b = Int.random(in: 0..<3, using: &chance)\n"
    #expect(CareRules.tests(file(text)).map(\.line) == [1, 2, 3])
  }

  @Test("What was left for later is found")
  func unfinished() {
    let mark = "TO" + "DO"
    let text =
      "// \(mark): more\nlet a = \"\(mark)\"\nfatalError(\"not implemented\")\nfatalError(\"the caller promised an index below the count\")\nfatalError()\n"
    #expect(CareRules.unfinished(file(text)).map(\.line) == [1, 3, 5])
  }

  @Test("Folders of one machine are found, relative ones are not")
  func paths() {
    let home = "/" + "home"
    let text = "see \(home)/anna/data\nSources\(home)/a\nhttps://example.org\(home)/\n\(home)stead/b\nlet a = \"\(home)\"\n"
    #expect(CareRules.paths("README.md", text).map(\.line) == [1, 5])
  }

  @Test("A claim of an exception needs a rule that exists and a reason")
  func exceptions() {
    let text =
      "// house:allow(order) whole numbers add up the same\n// house:allow(speed) because it is fast\n// house:allow(size)\n"
    #expect(CompletenessRules.exceptions(file(text)).map(\.line) == [2, 3])
  }

  @Test("Schemas without Swift, Swift without schema, and stale Swift are found")
  func schemas() {
    let found = CompletenessRules.generated(
      schemas: [("Protocols/a.proto", "message Bird {}\nmessage Falcon {}\n"), ("Protocols/b.proto", "")],
      swift: [("Sources/a.pb.swift", "struct Murmur_Bird {}"), ("Sources/c.pb.swift", "")])
    #expect(found.map(\.path) == ["Protocols/a.proto", "Protocols/b.proto", "Sources/c.pb.swift"])
  }

  @Test("Dead links are found")
  func links() {
    let text = "[a](Replay.md#why) [b](../README.md)\n[c](https://example.org/x) [d](Gone.md)\n"
    let found = CompletenessRules.links("Documentation/A.md", text) { ["Documentation/Replay.md", "README.md"].contains($0) }
    #expect(found.map(\.line) == [2])
  }
}

/// The plan is read from the documentation and compared with the manifest.
@Suite("The plan")
struct PlanTests {
  private let manifest = Manifest(
    """
    let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
    func room(_ tier: String, _ name: String) -> Target { .target(name: "Murmur\\(name)", path: "Sources/\\(tier)/\\(name)") }
    let package = Package(
      products: [
        .library(name: "MurmurFlock", targets: ["MurmurFlock"]),
      ],
      targets: [
        room("Sky", "Wing"),  // room("Sky", "Comment")
        room(
          "Sky", "Flock", resources: [.copy("feathers")],
          ["MurmurWing", crypto]),
        .systemLibrary(name: "CWind", path: "Sources/Sky/CWind", pkgConfig: "wind", providers: [.apt(["wind-dev"])]),
        .executableTarget(name: "murmur", dependencies: ["MurmurFlock"], path: "Sources/Sky/murmur", swiftSettings: strict),
        tests("Flock", ["MurmurFlock"]),
      ],
      cLanguageStandard: .c17
    )
    """)

  private let header = "| Target | Folder | Kind | May import | Tested in | What it is |\n|---|---|---|---|---|---|\n"
  private let rows = """
    | `MurmurWing` | `Sources/Sky/Wing` | pure | — | `FlockTests` | lift |
    | `MurmurFlock` | `Sources/Sky/Flock` | pure | `MurmurWing`, `Crypto`, `Foundation` | `FlockTests` | shape |
    | `CWind` | `Sources/Sky/CWind` | c | — | `FlockTests` | air |
    | `murmur` | `Sources/Sky/murmur` | world | `MurmurFlock` | `FlockTests` | sound |

    """

  @Test("The manifest is read as it is written")
  func manifestIsRead() {
    #expect(manifest.targets.map(\.name) == ["MurmurWing", "MurmurFlock", "CWind", "murmur", "FlockTests"])
    #expect(manifest.targets.map(\.needs) == [[], ["MurmurWing", "Crypto"], [], ["MurmurFlock"], ["MurmurFlock"]])
    #expect(manifest.targets.map(\.folder).prefix(2) == ["Sources/Sky/Wing", "Sources/Sky/Flock"])
  }

  @Test("A plan that says what the manifest says passes")
  func agreement() {
    let plan = Plan(header + rows)
    #expect(plan.rooms.count == 4)
    #expect(ImportRules.compare(plan, manifest) { _ in true }.isEmpty)
    #expect(plan.room(of: "Sources/Sky/Flock/A/B.swift")?.target == "MurmurFlock")
    #expect(plan.room(of: "Sources/Sky/FlockOfAnother/B.swift") == nil)
  }

  @Test(
    "Every way to differ is found",
    arguments: [
      ("`MurmurWing`, `Crypto`", "`MurmurWing`"), ("`MurmurWing`, `Crypto`", "`MurmurWing`, `Crypto`, `Yams`"),
      ("Sky/Wing", "Sky/Plume"),
      ("`CWind`", "`CStorm`"), ("| pure | — |", "| saintly | — |"),
    ])
  func difference(_ from: String, _ to: String) throws {
    let text = header + rows
    let change = try #require(text.firstRange(of: from))
    let plan = Plan(text.replacingCharacters(in: change, with: to))
    #expect(!ImportRules.compare(plan, manifest) { _ in true }.isEmpty)
  }

  @Test("What a room may import and does not is found")
  func unused() throws {
    let rooms = Plan(header + rows).rooms
    let flock = try #require(rooms.first { $0.target == "MurmurFlock" })
    let file = SourceFile("Sources/Sky/Flock/A.swift", "import MurmurWing\nimport Foundation\n")
    let other = SourceFile("Sources/Sky/Wing/A.swift", "import Crypto\n")
    #expect(ImportRules.unused(flock, [file, other]).map(\.problem) == ["MurmurFlock may import Crypto, and no file does"])
  }

  @Test("Tests get what the manifest gives them")
  func testImports() {
    let text = "import Foundation\nimport MurmurFlock\nimport MurmurWing\nimport Testing\n"
    #expect(ImportRules.tests(SourceFile("Tests/FlockTests/A.swift", text), manifest).map(\.line) == [3])
    #expect(ImportRules.tests(SourceFile("Tests/NestTests/A.swift", text), manifest).map(\.rule) == [.table])
  }

  @Test("A room that is tested nowhere is found")
  func untested() {
    let plan = Plan(header + rows)
    let test = SourceFile("Tests/FlockTests/A.swift", "import MurmurFlock\nimport MurmurWing\n@Test func a() {}")
    #expect(CompletenessRules.tested(plan, manifest, [test]).isEmpty)
    let silent = SourceFile("Tests/FlockTests/A.swift", "import MurmurFlock\n@Test func a() {}")
    #expect(
      CompletenessRules.tested(plan, manifest, [silent]).map(\.problem) == ["no file of Tests/FlockTests imports MurmurWing"])
    #expect(CompletenessRules.tested(plan, manifest, []).count == 4)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
