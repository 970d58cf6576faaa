/// Nothing is missing: tests, generated messages, linked files.
enum CompletenessRules {
  /// Every target is tested where the plan says.
  static func tested(_ plan: Plan, _ manifest: Manifest, _ tests: [SourceFile]) -> [Violation] {
    plan.rooms.flatMap { room in
      func missing(_ problem: String, _ remedy: String) -> Violation {
        Violation(path: Plan.path, line: room.line, rule: .complete, problem: problem, remedy: remedy)
      }
      if room.testedIn.isEmpty { return [missing("\(room.target) is tested nowhere", "Name a test target in its row")] }
      return room.testedIn.compactMap { name -> Violation? in
        guard let target = manifest.targets.first(where: { $0.name == name && $0.isTest }) else {
          return missing("Package.swift has no test target \(name)", "Add it, or name another one in the row of \(room.target)")
        }
        let files = tests.filter { $0.path.hasPrefix(target.folder + "/") }
        if !files.contains(where: { !$0.code.occurrences(of: "@Test").isEmpty }) {
          return missing("\(target.folder) holds no test", "Write the story of \(room.target)")
        }
        guard room.target.hasPrefix("Murmur"), room.kind != .c else { return nil }
        let imports = files.contains { ImportRules.imports($0).contains { $0.module == room.target } }
        return imports
          ? nil : missing("no file of \(target.folder) imports \(room.target)", "Test it there, or name the target that does")
      }
    }
  }

  /// Every schema has its generated Swift, with the same messages, and the other way round.
  static func generated(schemas: [(path: String, text: String)], swift: [(path: String, text: String)]) -> [Violation] {
    func stem(_ path: String) -> Substring { path.split(separator: "/").last?.split(separator: ".").first ?? "" }
    let remedy = "Run Protocols/generate.sh and commit what it writes"
    var found: [Violation] = []
    for schema in schemas {
      guard let code = swift.first(where: { stem($0.path) == stem(schema.path) }) else {
        found.append(
          Violation(path: schema.path, line: 1, rule: .complete, problem: "no .pb.swift was generated", remedy: remedy))
        continue
      }
      let file = SourceFile(schema.path + ".c", schema.text)
      for (position, word) in file.code.words where word == "message" || word == "enum" {
        let name = file.code.word(at: file.code.skipBlanks(position + word.utf8.count))
        guard !name.isEmpty, name.first?.isUppercase == true, code.text.firstRange(of: name) == nil else { continue }
        found.append(
          Violation(
            path: schema.path, line: file.code.line(position), rule: .complete,
            problem: "\(name) is not in \(code.path)", remedy: remedy))
      }
    }
    for code in swift where !schemas.contains(where: { stem($0.path) == stem(code.path) }) {
      found.append(
        Violation(
          path: code.path, line: 1, rule: .complete, problem: "its schema is gone from Protocols/",
          remedy: "Delete it, or bring the schema back"))
    }
    return found
  }

  /// Links of a Markdown file that lead nowhere; `exists` takes a path from the root.
  static func links(_ path: String, _ text: String, exists: (String) -> Bool) -> [Violation] {
    let folder = path.split(separator: "/").dropLast()
    var found: [Violation] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      for part in line.split(separator: "](", omittingEmptySubsequences: false).dropFirst() {
        let target = part.prefix { $0 != ")" && $0 != "#" && $0 != " " }
        if target.isEmpty || target.contains("://") || target.hasPrefix("mailto:") || target.hasPrefix("<") { continue }
        var parts = folder.map(String.init)
        for step in target.split(separator: "/") {
          if step == ".." { _ = parts.popLast() } else if step != "." { parts.append(String(step)) }
        }
        if exists(parts.joined(separator: "/")) { continue }
        found.append(
          Violation(
            path: path, line: index + 1, rule: .complete, problem: "the link to \(target) leads nowhere",
            remedy: "Mend or remove it"))
      }
    }
    return found
  }

  /// Exceptions that name no rule or give no reason.
  static func exceptions(_ file: SourceFile) -> [Violation] {
    file.exceptions.filter { !$0.isValid }.map {
      Violation(
        path: file.path, line: $0.line, rule: .complete, problem: "the exception `\($0.rule)` is not valid",
        remedy: "Name one of \(Rule.allCases.map(\.rawValue).joined(separator: ", ")), and give the reason")
    }
  }
}
