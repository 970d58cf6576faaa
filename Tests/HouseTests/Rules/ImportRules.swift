/// Who may import whom: the table in the documentation, the manifest and the sources say the same.
enum ImportRules {
  /// Modules of the system that a table may list; all others come from `Package.swift`.
  static let system: Set<String> = [
    "Foundation", "FoundationEssentials", "FoundationNetworking", "Dispatch", "Synchronization", "Glibc", "Darwin", "Musl",
  ]

  /// Where the sources import what the table does not list.
  static func check(_ file: SourceFile, in room: Plan.Room) -> [Violation] {
    guard room.kind != .c else { return checkC(file) }
    return imports(file).compactMap { module, line in
      if room.imports.contains(module) || module == "Swift" { return nil }
      // Foundation is what FoundationEssentials is called where there is no other.
      if module == "Foundation", room.imports.contains("FoundationEssentials"), isFallback(file, line) { return nil }
      return file.violation(
        .imports, line: line, "\(room.target) may not import \(module)",
        do: "Move what needs it to a target that may, or change the table in \(Plan.path) and Package.swift in the same commit")
    }
  }

  /// The modules a Swift file imports, with lines.
  static func imports(_ file: SourceFile) -> [(module: String, line: Int)] {
    file.code.occurrences(of: "import").compactMap { position in
      var start = file.code.skipBlanks(position + "import".utf8.count)
      var module = file.code.word(at: start)
      if ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"].contains(module) {
        start = file.code.skipBlanks(start + module.utf8.count)
        module = file.code.word(at: start)
      }
      return module.isEmpty ? nil : (module, file.code.line(position))
    }
  }

  /// Whether the import stands in the `#else` of `#if canImport(FoundationEssentials)`.
  private static func isFallback(_ file: SourceFile, _ line: Int) -> Bool {
    line > 1 && file.code.text(line: line - 1).contains("#else")
  }

  private static func checkC(_ file: SourceFile) -> [Violation] {
    (1...max(file.raw.lineCount, 1)).compactMap { line in
      let text = file.raw.text(line: line)
      guard text.hasPrefix("#include <") else { return nil }
      let header = text.dropFirst("#include <".count).prefix { $0 != ">" }
      let forbidden = ["stdio.h", "time.h", "sys/", "pthread.h", "unistd.h", "fcntl.h", "signal.h", "threads.h"]
      guard forbidden.contains(where: { header.hasPrefix($0) }) else { return nil }
      return file.violation(
        .imports, line: line, "a kernel may not include <\(header)>",
        do: "Kernels compute; input, output and threads belong to a world")
    }
  }

  /// Where the table and `Package.swift` differ, or a folder has no row.
  static func compare(_ plan: Plan, _ manifest: Manifest, exists: (String) -> Bool) -> [Violation] {
    var found = plan.violations
    func differ(_ line: Int, _ problem: String, _ remedy: String) {
      found.append(Violation(path: Plan.path, line: line, rule: .table, problem: problem, remedy: remedy))
    }
    for target in manifest.targets where !target.isTest && !plan.rooms.contains(where: { $0.target == target.name }) {
      differ(1, "the table has no row for \(target.name)", "Add one: what may it import, and why is it a target of its own?")
    }
    for room in plan.rooms {
      guard let target = manifest.targets.first(where: { $0.name == room.target }) else {
        differ(room.line, "Package.swift has no target \(room.target)", "Take the row out, or add the target")
        continue
      }
      if target.folder != room.folder {
        differ(room.line, "\(room.target) lies in \(target.folder)", "Write that folder into the row")
      }
      if !exists(room.folder) { differ(room.line, "there is no folder \(room.folder)", "Mend the name") }
      let listed = room.imports.filter { !system.contains($0) }
      for missing in target.needs where !listed.contains(missing) {
        differ(
          room.line, "Package.swift lets \(room.target) depend on \(missing)", "Add it to the row, or take the dependency out")
      }
      for extra in listed where !target.needs.contains(extra) {
        differ(
          room.line, "\(room.target) does not depend on \(extra) in Package.swift",
          "Add the dependency, or take it out of the row")
      }
    }
    return found
  }

  /// What the table lets a room import and no file of it does: a wall that is lower than it need be.
  static func unused(_ room: Plan.Room, _ files: [SourceFile]) -> [Violation] {
    guard room.kind != .c else { return [] }
    let used = files.filter { $0.path.hasPrefix(room.folder + "/") }.reduce(into: Set<String>()) { used, file in
      for entry in imports(file) { used.insert(entry.module) }
    }
    return room.imports.filter { !used.contains($0) }.map { module in
      Violation(
        path: Plan.path, line: room.line, rule: .table, problem: "\(room.target) may import \(module), and no file does",
        remedy: "Take it out of the row, and out of Package.swift")
    }
  }

  /// Where tests import what `Package.swift` does not give them.
  static func tests(_ file: SourceFile, _ manifest: Manifest) -> [Violation] {
    guard let target = manifest.targets.first(where: { $0.isTest && file.path.hasPrefix($0.folder + "/") }) else {
      return [
        Violation(
          path: file.path, line: 1, rule: .table, problem: "the file lies in no test target", remedy: "Move it, or add its target"
        )
      ]
    }
    return imports(file).compactMap { module, line in
      if module == "Testing" || system.contains(module) || target.needs.contains(module) { return nil }
      return file.violation(
        .imports, line: line, "\(target.name) does not depend on \(module)", do: "Add it to the target's list in Package.swift")
    }
  }
}
