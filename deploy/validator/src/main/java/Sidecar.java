import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.CheckDisplayOption;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.http.ManagedWebAccess;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.http.FhirValidatorHttpService;
import org.hl7.fhir.validation.service.StandAloneValidatorFetcher;
import org.hl7.fhir.validation.service.model.InstanceValidatorParameters;

/**
 * Starts the HL7 validator's own HTTP server on the loopback address, without any network.
 *
 * <p>Usage: {@code java -Duser.home=HOME -cp 'validator-1.jar:lib/*' Sidecar PORT [FOLDER|PACKAGE...]}.
 * {@code HOME/.fhir/packages} holds hl7.fhir.r4.core#4.0.1; each FOLDER or PACKAGE holds profiles.
 * HL7's command line program, which does the same, is on no Maven repository; this class is all
 * of it that is needed here.
 */
public final class Sidecar {
  private Sidecar() {}

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    List<String> guides = Arrays.asList(arguments).subList(1, arguments.length);
    // Whatever the validator would like to look up: it is told that there is no network.
    ManagedWebAccess.setAccessPolicy(ManagedWebAccess.WebAccessPolicy.PROHIBITED);
    ValidationEngine engine = engine();
    for (String guide : guides) {
      String source = guide.contains("#") ? guide : Path.of(guide).toAbsolutePath().toString();
      engine.getIgLoader().loadIg(engine.getIgs(), engine.getBinaries(), source, false);
    }
    engine.prepare();
    FhirValidatorHttpService service = new FhirValidatorHttpService(engine, true, port);
    service.startServer();
    System.out.println("ready on port " + port + " with " + guides.size() + " guides");
  }

  private static ValidationEngine engine() throws Exception {
    InstanceValidatorParameters defaults = new InstanceValidatorParameters();
    defaults.setBestPracticeLevel(BestPracticeWarningLevel.Ignore);
    defaults.setCheckDisplay(CheckDisplayOption.Ignore);
    defaults.setAssumeValidRestReferences(true);
    defaults.setAllowExampleUrls(true);
    ValidationEngine engine =
        new ValidationEngine.ValidationEngineBuilder()
            .withDefaultInstanceValidatorParameters(defaults)
            .withVersion("4.0.1")
            .withCanRunWithoutTerminologyServer(true)
            .withNoTerminologyServer()
            .fromSource("hl7.fhir.r4.core#4.0.1");
    StandAloneValidatorFetcher fetcher =
        new StandAloneValidatorFetcher(engine.getPcm(), engine.getContext(), engine);
    // Only what a message holds itself can be followed.
    fetcher.setReferencePolicy(ReferenceValidationPolicy.IGNORE);
    engine.setFetcher(fetcher);
    engine.setPolicyAdvisor(fetcher);
    engine.setLogValidationProgress(false);
    return engine;
  }
}
