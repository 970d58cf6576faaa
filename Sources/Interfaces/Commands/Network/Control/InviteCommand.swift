import ArgumentParser
import Foundation
import MurmurControl
import MurmurReports

/// `murmur invite`: a string that lets others join.
struct InviteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invite", abstract: "Print an invitation: one string with which others join the running peer's session.",
    discussion: """
      It holds the peer's addresses and the session, and is signed by the peer. Others join with `murmur peer --invitation STRING`. Whoever \
      has it can join, so hand it to those who shall.
      """)

  @OptionGroup var options: ControlOptions
  @Flag(help: "Also show it as a QR code on the terminal.") var qr = false
  @Flag(help: "Also name addresses that only this machine can use.") var loopback = false
  @Option(help: ArgumentHelp("Also draw it as a QR code.", valueName: "FILE.svg"))
  var out: String?
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      if let out, !out.lowercased().hasSuffix(".svg") {
        throw Failure("--out \(out): only SVG is drawn; give a name that ends in .svg")
      }
      let console = Console()
      let answer: ControlAnswer.Invited = try await options.client().ask(.invite(loopback: loopback))
      var code: QRCode?
      if qr || out != nil {
        code = QRCode(answer.invitation.uppercased())
        guard code != nil else {
          throw Failure(
            "the invitation has \(answer.invitation.count) characters, and a QR code holds \(QRCode.mostCharacters.alphanumeric); "
              + "hand on the string itself")
        }
      }
      if json { try console.show(json: answer) } else { console.show(answer.invitation) }
      if let code, let out {
        do { try code.svg(title: "Invitation to \(answer.session)").write(toFile: out, atomically: true, encoding: .utf8) } catch
        {
          throw Failure("--out \(out): the file cannot be written; check the folder and its permissions")
        }
        console.say("QR code: \(out)")
      }
      if qr, let code { show(code, console) }
      guard !json else { return }
      console.say("to '\(answer.session)' at \(answer.addresses.joined(separator: ", "))")
      if answer.needsRows {
        console.say("its rows are in files of this machine: whoever joins brings rows of its own, with --data")
      }
      if answer.isLocal {
        console.say("warning: only programs of this machine can use it; let the peer listen at another address, with --listen")
      }
    }
  }

  /// On a terminal that is wide enough; elsewhere colours would be noise.
  private func show(_ code: QRCode, _ console: Console) {
    let isTerminal = isatty(STDOUT_FILENO) != 0
    let size = code.terminalSize
    if let width = Console.columns(STDOUT_FILENO), width < size.columns {
      console.say(
        "the QR code takes \(size.columns) columns and the terminal has \(width): make it wider, or draw a file with --out FILE.svg"
      )
      return
    }
    var text = code.terminal(colour: isTerminal)
    text.removeLast()
    console.show(text)
  }
}
