/// What a pure target does without: time, chance, the outside world and threads are handed to it or asked of the world by effects.
enum PurityRules {
  private struct Ban {
    var what: String
    var remedy: String
    var tokens: [String]
  }

  private static let bans: [Ban] = [
    Ban(
      what: "a clock", remedy: "Take the time as an argument: `at now: Instant`",
      tokens: [
        "Date(", "Date.now", "ContinuousClock", "SuspendingClock", "DispatchTime", "DispatchWallTime", "clock_gettime",
        "gettimeofday",
        "CFAbsoluteTimeGetCurrent", "mach_absolute_time", "systemUptime", "time(nil)", "Timer(",
      ]),
    Ban(
      what: "hidden randomness", remedy: "Draw from the `Chance` you are given, and derive keys and identifiers from it",
      tokens: [
        "SystemRandomNumberGenerator", "UUID()", "arc4random", "arc4random_uniform", "getrandom", "drand48", "rand()",
        "PrivateKey()",
        "SymmetricKey(size:", ".hashValue", "Hasher()", "ObjectIdentifier(",
      ]),
    Ban(
      what: "input or output", remedy: "Take bytes, give bytes or an effect; files and streams belong to a world",
      tokens: [
        "print(", "debugPrint(", "dump(", "readLine(", "FileManager", "FileHandle", "fopen(", "fputs(", "URLSession",
        "ProcessInfo",
        "getenv(", "setenv(", "Process()", "Data(contentsOf:", "String(contentsOf:", "String(contentsOfFile:", "stderr", "stdout",
        "CommandLine", "Logger(", "NSLog(",
      ]),
    Ban(
      what: "a thread or a task", remedy: "Ask for work by an effect; the world decides where it runs",
      tokens: [
        "Task {", "Task(", "Task.detached", "Task.sleep", "Thread", "DispatchQueue", "DispatchSemaphore", "withTaskGroup",
        "await", "actor",
        "NSLock", "Mutex", "pthread_create", "nonisolated(unsafe)",
      ]),
  ]

  /// Clocks, chance, input and output, threads.
  static func check(_ file: SourceFile) -> [Violation] {
    bans.flatMap { ban in
      ban.tokens.flatMap { token in
        file.code.occurrences(of: token).compactMap { position in
          if !token.hasPrefix("."), isAnother(file.code, position) { return nil }
          return file.violation(.purity, at: position, "`\(token)` is \(ban.what), in a pure target", do: ban.remedy)
        }
      }
    } + systemRandomness(file, .purity)
  }

  /// Whether the word at `position` names something of the file's own: a member (`table.dump(`), or what it declares itself.
  private static func isAnother(_ code: Code, _ position: Int) -> Bool {
    let declaring: Set<String> = ["func", "let", "var", "case", "enum", "struct", "class", "extension", "protocol", "typealias"]
    let word = code.word(at: position)
    let isType = word.first?.isUppercase == true
    if !isType, code.token(before: position) == "." { return true }
    return code.occurrences(of: word).contains { other in
      let next = code.skipBlanks(other + word.utf8.count)
      let isParameter = !isType && next < code.count && code.bytes[next] == UInt8(ascii: ":")
      return isParameter || declaring.contains(code.token(before: other))
    }
  }

  /// Draws from the system's generator: `.random(in:)`, `.shuffled()` and their like without `using:`.
  static func systemRandomness(_ file: SourceFile, _ rule: Rule) -> [Violation] {
    [".random", ".randomElement", ".shuffled", ".shuffle"].flatMap { name in
      file.code.occurrences(of: name + "(").compactMap { position in
        let open = position + name.utf8.count
        let arguments = file.code.text(open..<file.code.closing(open))
        if arguments.contains("using:") { return nil }
        // `chance.shuffle(&items)` is the seeded one.
        if name == ".shuffle", arguments.contains("&") { return nil }
        return file.violation(
          rule, at: position, "`\(name)(…)` draws from the system's generator",
          do: "Draw from a `Chance` made from the seed, or pass it with `using:`")
      }
    }
  }

  /// Elementary functions that differ in the last place between processors and C libraries.
  static func elementaryFunctions(_ file: SourceFile) -> [Violation] {
    ["exp(", "log(", "log2(", "log10(", "pow(", "tanh(", "sin(", "cos(", "expf(", "logf(", "powf(", "tanhf(", "lgamma("].flatMap {
      token in
      file.code.occurrences(of: token).compactMap { position in
        let before = file.code.token(before: position)
        let isDouble = before == "." && ["Double", "Float", "Foundation", "Glibc"].contains(file.code.receiver(position))
        if before == "func" || (before == "." && !isDouble) { return nil }
        return file.violation(
          .bits, at: position, "`\(token.dropLast())` of the C library gives other bits on other machines",
          do: "Use `Portable`, or a kernel")
      }
    }
  }
}

extension Code {
  /// The word before the dot before `position`.
  func receiver(_ position: Int) -> String {
    var end = position
    while end > 0, bytes[end - 1] != UInt8(ascii: ".") { end -= 1 }
    return end > 0 ? token(before: end - 1) : ""
  }
}
