using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using Flows.Benchmarks;
using Flows.Benchmarks.Identity;
using Flows.Benchmarks.Policy;

// A busy machine takes more than the two minutes that BenchmarkDotNet allows for building what it measures.
var patient = ManualConfig.Create(DefaultConfig.Instance);
patient.BuildTimeout = TimeSpan.FromMinutes(10);

// The comparisons of whole processes, and the programs that they start, are verbs; everything else is for BenchmarkDotNet.
return args is [CaptureCommand.Name or ReceiverCommand.Name or IdentityCommand.Name or PolicyCommand.Name, ..]
    ? (int)await Flows.CommandLine.RunAsync(
        new System.CommandLine.RootCommand("Benchmarks of Flows.")
        {
            CaptureCommand.Create(), ReceiverCommand.Create(), IdentityCommand.Create(), PolicyCommand.Create(),
        },
        args)
    : BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args, patient).Any() ? 0 : 1;
