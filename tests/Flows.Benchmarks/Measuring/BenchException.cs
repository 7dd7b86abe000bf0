using System.ComponentModel;
using System.Runtime.InteropServices;
using Flows.Core;

namespace Flows.Benchmarks.Measuring;

/// <summary>What keeps a comparison from being made, in a sentence.</summary>
internal static class BenchException
{
    public static FlowsException OfErrno(string what)
    {
        var errno = Marshal.GetLastPInvokeError();
        return Of($"Cannot {what}: {new Win32Exception(errno).Message} (errno {errno}).");
    }

    public static FlowsException Of(string sentence) => new(ExitCode.Failed, sentence);
}
