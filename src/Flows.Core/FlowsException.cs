namespace Flows.Core;

/// <summary>
/// A fault that a person can mend: it says what is wrong, where, and what to do, in one sentence.
/// The command line prints <see cref="Exception.Message"/> and ends with <see cref="ExitCode"/>; a stack trace means a bug.
/// </summary>
public class FlowsException : Exception
{
    public FlowsException(ExitCode exitCode, string message) : base(message) => ExitCode = exitCode;

    public FlowsException(ExitCode exitCode, string message, Exception inner) : base(message, inner) => ExitCode = exitCode;

    public ExitCode ExitCode { get; }
}

/// <summary>What the process tells its caller when it ends. The numbers are public contract.</summary>
public enum ExitCode
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>Something failed while running: port taken, no privilege, input truncated, server gone.</summary>
    Failed = 1,

    /// <summary>The question was wrong: flags, configuration, time, SQL, a missing file, not a store.</summary>
    Usage = 2,

    /// <summary>The answer is no: a test found a denied flow, a check found a fault.</summary>
    No = 3,

    /// <summary>Ended by the person or the supervisor (SIGINT).</summary>
    Interrupted = 130,
}
