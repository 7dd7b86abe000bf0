using System.CommandLine;
using System.Runtime.InteropServices;
using Flows.Benchmarks.Conntrack;
using Flows.Benchmarks.Live;

namespace Flows.Benchmarks;

/// <summary><c>receive</c>: the programs that the comparisons start. Each says "ready", works until SIGTERM, and says what it got.</summary>
internal static class ReceiverCommand
{
    public const string Name = "receive";
    public const string Ready = "ready";

    public static Command Create() => new(Name, "One side of a comparison, as a process of its own.")
    {
        ConntrackVerb(), InterfaceVerb("interface", PacketReceiver.RunAsync), InterfaceVerb("naive", NaiveReceiver.RunAsync),
    };

    private static Command ConntrackVerb()
    {
        var groups = new Option<uint>("--groups") { Description = "Bits of the event groups: 1 new, 2 update, 4 destroy.", HelpName = "BITS", DefaultValueFactory = _ => 7 };
        var verb = new Command("conntrack", "The conntrack source and the batcher; batches are let go.") { groups };
        verb.SetAction(async (parsed, _) =>
        {
            Print(await ConntrackReceiver.RunAsync(parsed.GetValue(groups), UntilTold()).ConfigureAwait(false));
            return 0;
        });
        return verb;
    }

    private static Command InterfaceVerb(string name, Func<string, CancellationToken, Task<Received>> receive)
    {
        var from = new Argument<string>("NAME") { Description = "The interface." };
        var verb = new Command(name, "Counts packets into flows.") { from };
        verb.SetAction(async (parsed, _) =>
        {
            Print(await receive(parsed.GetRequiredValue(from), UntilTold()).ConfigureAwait(false));
            return 0;
        });
        return verb;
    }

    /// <summary>Cancelled by SIGTERM. Lives as long as the process, which is what is measured.</summary>
    private static CancellationToken UntilTold()
    {
        var told = new CancellationTokenSource();
        var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            told.Cancel();
        });
        told.Token.Register(() => GC.KeepAlive(signal));
        return told.Token;
    }

    private static void Print(Received received) => Console.Out.WriteLine(System.Text.Json.JsonSerializer.Serialize(received, BenchJson.Line));
}
