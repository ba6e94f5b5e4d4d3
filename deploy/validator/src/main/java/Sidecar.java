import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.hl7.fhir.r5.model.ElementDefinition;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.model.ValueSet;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.BindingKind;
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
    StandAloneValidatorFetcher fetcher = new Unlisted(engine);
    // Only what a message holds itself can be followed.
    fetcher.setReferencePolicy(ReferenceValidationPolicy.IGNORE);
    engine.setFetcher(fetcher);
    engine.setPolicyAdvisor(fetcher);
    engine.setLogValidationProgress(false);
    // Displays are checked in the language of the plan; messages stay in English.
    engine.setLanguage("da");
    engine.setLocale(Locale.ENGLISH);
    return engine;
  }

  /** Leaves alone what no list of codes exists for: R4 binds these to all of a standard. */
  private static final class Unlisted extends StandAloneValidatorFetcher {
    private static final Set<String> SETS =
        Set.of(
            "http://hl7.org/fhir/ValueSet/mimetypes",
            "http://hl7.org/fhir/ValueSet/all-languages",
            "http://hl7.org/fhir/ValueSet/currencies",
            "http://hl7.org/fhir/ValueSet/ucum-units",
            "http://hl7.org/fhir/ValueSet/all-time-units",
            "http://hl7.org/fhir/ValueSet/all-distance-units");

    Unlisted(ValidationEngine engine) throws IOException {
      super(engine.getPcm(), engine.getContext(), engine);
    }

    @Override
    public EnumSet<CodedContentValidationAction> policyForCodedContent(
        IResourceValidator validator,
        Object context,
        String path,
        ElementDefinition definition,
        StructureDefinition structure,
        BindingKind kind,
        AdditionalBindingPurpose purpose,
        ValueSet valueSet,
        List<String> systems) {
      if (valueSet != null && SETS.contains(valueSet.getUrl())) {
        return EnumSet.noneOf(CodedContentValidationAction.class);
      }
      return super.policyForCodedContent(
          validator, context, path, definition, structure, kind, purpose, valueSet, systems);
    }
  }
}
