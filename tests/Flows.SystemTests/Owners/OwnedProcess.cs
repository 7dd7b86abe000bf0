using System.Diagnostics;
using System.Globalization;
using Flows.Capture.Owners;
using Flows.SystemTests.Conntrack;
using Xunit;

namespace Flows.SystemTests.Owners;

/// <summary>Cgroups named like systemd units, where this machine lets us make them.</summary>
internal sealed class TestUnits : IDisposable
{
    private readonly string slice = $"/flows{Environment.ProcessId}.slice";
    private readonly string mount = CgroupMounts.Read().Unified;
    private readonly List<string> made = [];

    /// <summary>False where version 2 is absent or read only: then users must tell owners apart.</summary>
    public bool Exist { get; private set; }

    public TestUnits(params string[] units)
    {
        try
        {
            foreach (var path in units.Select(unit => $"{slice}/{unit}").Prepend(slice).Where(_ => mount.Length != 0))
            {
                Directory.CreateDirectory(mount + path);
                made.Add(mount + path);
            }

            Exist = made.Count > 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Dispose();
        }
    }

    public string PathOf(string unit) => $"{slice}/{unit}";

    public string ProcsOf(string unit) => $"{mount}{slice}/{unit}/cgroup.procs";

    public void Dispose()
    {
        Exist = false;
        foreach (var path in made.AsEnumerable().Reverse())
        {
            // The last of its processes may still be on its way out.
            for (var attempt = 0; attempt < 50 && Directory.Exists(path); attempt++)
            {
                try
                {
                    Directory.Delete(path);
                }
                catch (IOException)
                {
                    Thread.Sleep(20);
                }
            }
        }
    }
}

/// <summary>A Perl program in the server's namespace, in a unit and under a user of its own.</summary>
internal sealed class OwnedProcess : IDisposable
{
    private readonly Process process;

    private OwnedProcess(Process process) => this.process = process;

    public int Pid => process.Id;

    public static OwnedProcess Start(ConntrackNetns net, TestUnits units, string unit, int uid, string script) => Start(net.Server, units, unit, uid, script);

    /// <summary>As above, in the network namespace of this name.</summary>
    public static OwnedProcess Start(string space, TestUnits units, string unit, int uid, string script)
    {
        // The shell enters the cgroup before it becomes the program: sockets belong to the cgroup in which they are made.
        var enter = units.Exist ? $"echo $$ > {units.ProcsOf(unit)} && " : "";
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"{enter}exec setpriv --reuid={uid} --regid={uid} --clear-groups perl -MIO::Socket::INET -e '$|=1; {script}'");
        return new OwnedProcess(ConntrackNetns.In(space, () => Process.Start(start)!));
    }

    /// <summary>Echoes up to 100 bytes on each connection and closes it.</summary>
    public static OwnedProcess Listen(ConntrackNetns net, TestUnits units, string unit, int uid, int port)
    {
        var listener = Start(net, units, unit, uid, string.Create(CultureInfo.InvariantCulture,
            $$"""$l=IO::Socket::INET->new(LocalAddr=>"10.77.0.2",LocalPort=>{{port}},Listen=>1024,ReuseAddr=>1) or die; print "ready\n"; while($c=$l->accept){sysread($c,$b,100);syswrite($c,$b);close $c}"""));
        Assert.Equal("ready", listener.ReadLine());
        return listener;
    }

    /// <summary>Opens connections one after another: each exchanges a few bytes and ends.</summary>
    public static OwnedProcess Dial(ConntrackNetns net, TestUnits units, string unit, int uid, int port, int count, double holdSeconds = 0) =>
        Start(net, units, unit, uid, string.Create(CultureInfo.InvariantCulture,
            $$"""for(1..{{count}}){$c=IO::Socket::INET->new(PeerAddr=>"10.77.0.2",PeerPort=>{{port}}) or die $!; syswrite($c,"hello");sysread($c,$b,100);{{(holdSeconds > 0 ? $"select(undef,undef,undef,{holdSeconds});" : "")}}close $c} print "done\n";"""));

    public string? ReadLine() => process.StandardOutput.ReadLine();

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.WaitForExit();
        process.Dispose();
    }
}
