import Testing

/// The rules of the house, held against the house. A failure names file, line, rule and what to do.
@Suite("The house")
struct HouseTests {
  /// What all tests look at, read once.
  private struct House {
    let repository: Repository
    let plan: Plan
    let manifest: Manifest
    let sources: [SourceFile]
    let tests: [SourceFile]

    init() throws {
      repository = try Repository.own()
      plan = Plan(try repository.text(Plan.path))
      manifest = Manifest(try repository.text("Package.swift"))
      sources = try repository.sources("Sources")
      tests = try repository.sources("Tests")
    }

    static let shared = Result { try House() }
  }

  private let house: House
  private var repository: Repository { house.repository }
  private var plan: Plan { house.plan }
  private var manifest: Manifest { house.manifest }
  private var sources: [SourceFile] { house.sources }
  private var tests: [SourceFile] { house.tests }

  init() throws { house = try House.shared.get() }

  private func report(_ violations: [Violation], _ location: SourceLocation = #_sourceLocation) {
    for violation in violations { Issue.record("\(violation)", sourceLocation: location) }
  }

  @Test("There is a house to look at")
  func somethingIsRead() {
    #expect(plan.rooms.count >= 19)
    #expect(manifest.targets.count > plan.rooms.count)
    #expect(sources.count > 100)
    for file in sources where plan.room(of: file.path) == nil {
      report([
        Violation(
          path: file.path, line: 1, rule: .table, problem: "the file lies in no target", remedy: "Move it, or add its target")
      ])
    }
  }

  @Test("The plan and the manifest say the same")
  func planMatchesManifest() {
    report(ImportRules.compare(plan, manifest) { repository.exists($0) })
  }

  @Test("Every target imports only what the plan lists")
  func imports() {
    for file in sources where !file.isGenerated {
      if let room = plan.room(of: file.path) { report(ImportRules.check(file, in: room)) }
    }
  }

  @Test("The plan allows nothing that is not used")
  func nothingUnused() {
    for room in plan.rooms { report(ImportRules.unused(room, sources)) }
  }

  @Test("Tests import only what the manifest gives them")
  func testImports() {
    for file in tests { report(ImportRules.tests(file, manifest)) }
  }

  @Test("Pure targets read no clock, draw no hidden number, touch no file, start no thread")
  func purity() {
    for file in sources where !file.isGenerated && plan.room(of: file.path)?.kind == .pure { report(PurityRules.check(file)) }
  }

  @Test("Where bits count, nothing asks the C library for elementary functions")
  func bits() {
    for file in sources where !file.isGenerated && !file.path.hasPrefix("Sources/Interfaces/") {
      report(PurityRules.elementaryFunctions(file))
    }
  }

  @Test("Nothing is decided by the order of a dictionary or a set")
  func order() {
    let folders = ["Sources/Foundations/", "Sources/Network/", "Sources/Learning/", "Sources/Peer/", "Sources/Worlds/Simulator/"]
    let decisive = sources.filter { file in !file.isGenerated && folders.contains { file.path.hasPrefix($0) } }
    func concept(_ file: SourceFile) -> Substring { file.path.dropLast(".swift".count).prefix { $0 != "+" } }
    for file in decisive {
      let names = decisive.filter { concept($0) == concept(file) }.reduce(into: Set<String>()) {
        $0.formUnion(OrderRules.names($1))
      }
      report(OrderRules.check(file, names: names))
    }
  }

  @Test("Files have at most 500 lines, functions 70")
  func sizes() {
    for file in sources + tests { report(SizeRules.check(file)) }
  }

  @Test("Tests look from outside, never sleep, and draw chance from a seed")
  func testsAreOrderly() {
    for file in tests { report(CareRules.tests(file)) }
  }

  @Test("Nothing is left for later")
  func nothingUnfinished() {
    for file in sources + tests { report(CareRules.unfinished(file)) }
  }

  @Test("No file names a folder of one machine")
  func noMachinePaths() throws {
    let places = ["Sources", "Tests", "Documentation", "Examples", "Scripts", "Protocols", "Benchmarks"]
    let single = [
      "README.md", "CONTRIBUTING.md", "NOTICE", "Makefile", "Package.swift", ".ci/run", ".swift-format", ".gitignore",
    ]
    for path in places.flatMap({ repository.files($0) }) + single where repository.exists(path) {
      report(CareRules.paths(path, try repository.text(path)))
    }
  }

  @Test("Every target is tested where the plan says")
  func everythingIsTested() { report(CompletenessRules.tested(plan, manifest, tests)) }

  @Test("Every schema has its generated messages")
  func schemasAreGenerated() throws {
    let schemas = try repository.files("Protocols", "proto").map { ($0, try repository.text($0)) }
    let swift = try repository.files("Sources", "pb.swift").map { ($0, try repository.text($0)) }
    #expect(!schemas.isEmpty)
    report(CompletenessRules.generated(schemas: schemas, swift: swift))
  }

  @Test("Links in the documentation lead somewhere")
  func linksLeadSomewhere() throws {
    for path in repository.files("Documentation", "md") + ["README.md", "CONTRIBUTING.md"] where repository.exists(path) {
      report(CompletenessRules.links(path, try repository.text(path)) { repository.exists($0) })
    }
  }

  @Test("Every exception names its rule and gives a reason")
  func exceptionsAreReasoned() {
    for file in sources + tests { report(CompletenessRules.exceptions(file)) }
  }
}
