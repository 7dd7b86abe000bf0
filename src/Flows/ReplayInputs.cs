using Flows.Capture.Files;
using Flows.Core;

namespace Flows;

/// <summary>
/// The files of a replay, each seen to be a capture before anything is written. Standard input, called <c>-</c>, can be opened once
/// only: its reader stays open from the check to its turn.
/// </summary>
internal sealed class ReplayInputs : IDisposable
{
    /// <summary>How a command line calls standard input.</summary>
    public const string StandardInput = "-";

    private CaptureFileReader? standardInput;

    private ReplayInputs(IReadOnlyList<string> files) => Files = files;

    public IReadOnlyList<string> Files { get; }

    /// <exception cref="FlowsException">One is missing or no capture, or standard input is named twice.</exception>
    public static ReplayInputs Check(IReadOnlyList<string> files)
    {
        if (files.Count(file => file == StandardInput) > 1)
        {
            throw new FlowsException(ExitCode.Usage, "standard input ('-') can be read once only.");
        }

        // Files first: waiting for another program's first bytes is in vain where one of them is missing.
        foreach (var file in files.Where(file => file != StandardInput))
        {
            CaptureFileReader.Open(file).Dispose();
        }

        var inputs = new ReplayInputs(files);
        if (files.Contains(StandardInput))
        {
            inputs.standardInput = CaptureFileReader.OpenStandardInput();
        }

        return inputs;
    }

    /// <summary>Opens one of the files, for the caller to dispose.</summary>
    public CaptureFileReader Open(string file)
    {
        if (file != StandardInput)
        {
            return CaptureFileReader.Open(file);
        }

        var reader = standardInput ?? throw new InvalidOperationException("Standard input was read already.");
        standardInput = null;
        return reader;
    }

    public void Dispose() => standardInput?.Dispose();
}
