import ArgumentParser

/// Errors as one sentence on standard error, without a usage text that hides it.
enum Attempt {
  static func run(_ body: () throws -> Void) throws {
    do { try body() } catch { throw shown(error) }
  }

  static func run(_ body: () async throws -> Void) async throws {
    do { try await body() } catch { throw shown(error) }
  }

  private static func shown(_ error: any Error) -> ExitCode {
    if let code = error as? ExitCode { return code }
    Console().say("murmur: \(error is CancellationError ? "stopped" : "\(error)")")
    // Whoever pressed Ctrl-C is told so by the code as well.
    return ExitCode(Interruption.happened ? Interruption.code : 1)
  }
}
